$SCAP read trigger.scapz --from trigger-0.02ms --to trigger
echo; $SCAP read trigger.scapz --from trigger+1000ms --to trigger+1.073745s | tail -n 3
for t in trigger+20us trigger2 triggers trigger- trigger+-1; do $SCAP read trigger.scapz --from $t; done
