$SCAP verify trigger.scapz --from trigger --to trigger+0.1ms; echo $?
$SCAP verify trigger.scapz --from trigger-2s --to trigger; echo $?
$SCAP verify trigger.scapz --to trigger+2m; echo $?
