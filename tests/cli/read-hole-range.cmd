# The hole lies between +0.0001 and +1.07374: outside of the range nothing is told.
$SCAP read hole.scapz --to +0.00005 -q
$SCAP read hole.scapz --from +1.0 --to +1.01
