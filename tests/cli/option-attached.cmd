$SCAP read -n2 whole.scapz
$SCAP read --events=1 -qn 3 whole.scapz
