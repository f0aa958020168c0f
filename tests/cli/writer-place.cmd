$GEN open nodir/new.scapz
$GEN open dir.scapz
$GEN open dir.scapz force
$GEN open /proc/new.scapz
$GEN open /dev/full; echo $?
$GEN open /dev/null; echo $?
$GEN open new.scapz; stat -c %a new.scapz
