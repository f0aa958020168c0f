$SCAP record -a --keep 3 -o new.scapz
$SCAP record -a --rotate-size 1M -o -
$SCAP record -a --rotate-time 60s -o none
$SCAP record -a --rotate-events 1000 -o /dev/null
$SCAP record -a --rotate-events 1000 -o ./
$SCAP record -a --rotate-time 0 -o new.scapz
$SCAP record -a --rotate-size 0 -o new.scapz
$SCAP record -a --rotate-size 1M --keep 0 -o new.scapz
ls | grep new
