# A range of time, a tree; what is outside is not told of at all.
$SCAP read losses.scapz --from +2 --to +5 -f -w p.scapz && $SCAP read p.scapz && $SCAP verify p.scapz | grep -v sealed
$SCAP info p.scapz | grep 'filter\|time'
$SCAP read key.scapz --tree 100 -f -w p.scapz && $SCAP read --keyframes p.scapz && $SCAP verify p.scapz | grep -v sealed
$SCAP info p.scapz | grep filter
$SCAP read p.scapz --from +0.00003 -f -w q.scapz && $SCAP info q.scapz | grep filter
