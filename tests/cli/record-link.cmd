ln -s nowhere link.scapz
$SCAP record -a -o link.scapz; rc=$?
ls nowhere
exit $rc
