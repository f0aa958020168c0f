$SCAP read many.scapz -q
$SCAP read many.scapz -q -n 10 evt.type=getpid
