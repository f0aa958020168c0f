# Times go back: the second one's are in the range, too, and numbered on.
cat late.scapz whole.scapz > c.scapz
$SCAP read c.scapz --to +0.00002
$SCAP read c.scapz --from +0.00002 --to +0.00003 -n 3
$SCAP read c.scapz --tree 100 --count-by proc.name
rm c.scapz
