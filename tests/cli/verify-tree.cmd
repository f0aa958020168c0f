# Any of its calls may be among what was lost, and it may have grown by a lost fork, before the
# range, too.
$SCAP verify losses.scapz --tree 100; echo $?
$SCAP verify losses.scapz --tree 100 --to +3 --from +2; echo $?
$SCAP verify losses.scapz --tree 200 --from +7; echo $?
$SCAP verify -j losses.scapz --tree 200 --from +7; echo $?
$SCAP verify whole.scapz --tree 101; echo $?
$SCAP verify whole.scapz --tree 777; echo $?
