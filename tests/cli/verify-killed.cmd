# What a CPU lost it tells with its next record: the second one is silent from +5.4 s on.
$SCAP verify killed.scapz; echo $?
$SCAP verify killed.scapz --from +2 --to +3; echo $?
$SCAP verify killed.scapz --from +6 --to +7; echo $?
$SCAP verify -j killed.scapz --from +5 evt.type=getppid; echo $?
$SCAP verify half.scapz --to +1; echo $?
# Damaged, too, in the magic of a section's header: a CPU may have had all of its records there.
cp killed.scapz both.scapz
printf '\377' | dd of=both.scapz bs=1 seek=280 conv=notrunc status=none
$SCAP verify both.scapz --from +2.2 --to +3; echo $?
