$GEN open whole.scapz; echo $?
$SCAP verify whole.scapz
echo
# with force it is a new capture
cp whole.scapz over.scapz
$GEN open over.scapz force; echo $?
$SCAP read over.scapz 2>&1 | wc -l
