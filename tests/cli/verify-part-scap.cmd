$SCAP verify sample.scap evt.type=read; echo $?
$SCAP verify -j sample.scap; echo $?
