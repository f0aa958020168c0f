$SCAP read story.scapz -w x.scapz -n 3; echo $?
$SCAP read story.scapz -w x.scapz -j; echo $?
$SCAP read story.scapz -f; echo $?
$SCAP read story.scapz -w x.scapz evt.type=; echo $?
$SCAP read story.scapz -w x.scapz --from trigger; echo $?
$SCAP read missing.scapz -w x.scapz; echo $?
$SCAP read story.scapz -w /dev/full; echo $?
ls x.scapz 2>&1
