# The record of the gap (0.2 to 0.3 ms) comes more than eight seconds later.
$SCAP read late.scapz --from +0.00009 --to +0.0005
$SCAP read late.scapz --from +0.00009 --to +0.0005 --count-by evt.type
$SCAP read late.scapz --from +0.00009 --to +2 -n 3
