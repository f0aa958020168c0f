$SCAP doctor x
echo $?
$SCAP doctor -- x
echo $?
$SCAP doctor --root nosuch
echo $?
$SCAP doctor --moduel x
echo $?
