# Damage counts where it may have to do with the chosen events.
$SCAP verify hole.scapz --from +1.08; echo $?
$SCAP verify hole.scapz --from +1; echo $?
$SCAP verify flip.scapz --from +1.08; echo $?
$SCAP verify flip.scapz --to +1; echo $?
# Threads may have no names until the next epoch, and a fork may be missing.
$SCAP verify flip.scapz --from +1.08 proc.name=httpd; echo $?
$SCAP verify flip.scapz --from +1.08 --tree 200; echo $?
$SCAP verify flip.scapz --from +2.2 proc.name=httpd; echo $?
$SCAP verify -j flip.scapz --to +1; echo $?
