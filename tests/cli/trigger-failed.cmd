"${GEN%gen}answer" a.sock '{"ok":false,"error":"the disk is \u001b[31mfull"}
'
$SCAP trigger --socket a.sock
