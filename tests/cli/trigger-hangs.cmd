"${GEN%gen}answer" a.sock
$SCAP trigger --socket a.sock
