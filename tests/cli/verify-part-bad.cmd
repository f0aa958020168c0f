$SCAP verify whole.scapz 'evt.tpye=read'; echo $?
$SCAP verify whole.scapz --from yesterday; echo $?
$SCAP verify whole.scapz --from +2 --to +1; echo $?
$SCAP verify whole.scapz --tree 0; echo $?
$SCAP verify --tree 7; echo $?
$SCAP verify text.scapz evt.type=read; echo $?
