$SCAP read whole.scapz --from +0.00003 --to +0.00005
echo
$SCAP read whole.scapz --from 22:13:21.073 --to 22:13:21.0738 -n 2
echo
$SCAP read whole.scapz --from "2023-11-14 22:13:20" --to 1700000000.000025
echo
$SCAP read whole.scapz --from 22:13:21 -n 1
