$SCAP recover box; echo $?
$SCAP recover; echo $?
$SCAP recover a b; echo $?
$SCAP recover whole.scapz; echo $?
$SCAP recover empty.scapz; echo $?
$SCAP recover dir.scapz; echo $?
ls *-recovered* 2>/dev/null
