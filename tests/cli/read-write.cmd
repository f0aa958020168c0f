# A capture of what is chosen, with its names, losses and trigger.
rm -f w.scapz
$SCAP read trigger.scapz evt.type in '(connect, openat)' -w w.scapz && $SCAP read --all w.scapz
$SCAP info w.scapz | grep -v bytes; $SCAP verify w.scapz | grep -v sealed
$SCAP read trigger.scapz evt.type=read -w w.scapz
$SCAP read trigger.scapz evt.type=read -f -w w.scapz && $SCAP info -j w.scapz | tr , '\n' | grep '"event"\|"keep"\|"lost"'
$SCAP read trigger.scapz --from trigger --to trigger+0.03ms -w - | $SCAP read -
cat story.scapz trigger.scapz | $SCAP read - evt.type=connect -w - | $SCAP info -j - | tr , '\n' | grep '"event"'
