$SCAP read tail.scapz --from +1.073763
$SCAP verify tail.scapz
