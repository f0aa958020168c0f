$SCAP record -a -o new.scapz
rc=$?
ls new.scapz
exit $rc
