$SCAP read whole.scapz -A 1 -B 1 -n 1 evt.type=connect
echo
# a match within the lines behind another
$SCAP read whole.scapz -A 2 proc.pid=200 and evt.type=getpid and evt.num "<" 10
