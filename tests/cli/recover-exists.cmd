$GEN-ring box abandoned
echo precious > box-recovered.scapz
$SCAP recover box; echo $?
cat box-recovered.scapz
ln -s nowhere lnk
$SCAP recover box -o lnk; echo $?
$SCAP recover box -o lnk --force; echo $?
$SCAP recover box -o /dev/null; echo $?
$SCAP recover box -o box --force; echo $?
$SCAP recover box -o ./box.journal2 --force; echo $?
$SCAP recover box --force | grep ^events; ls -l box-recovered.scapz | cut -c 1-10
rm box box.journal* lnk box-recovered.scapz
