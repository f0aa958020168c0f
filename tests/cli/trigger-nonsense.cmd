"${GEN%gen}answer" a.sock 'HTTP/1.1 400 Bad Request
'
$SCAP trigger --socket a.sock
