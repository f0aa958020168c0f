"${GEN%gen}answer" a.sock '{"ok":true,"file":"/x"}
'
$SCAP trigger --json --socket a.sock || exit
cat request.json
