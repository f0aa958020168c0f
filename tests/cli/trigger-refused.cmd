"${GEN%gen}answer" a.sock '{"ok":false,"refused":true,"error":"hand: in its cool-down for 12 s"}
'
$SCAP trigger --socket a.sock
