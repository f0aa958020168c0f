"${GEN%gen}answer" a.sock '{"ok":true,"fi'
$SCAP trigger --socket a.sock
