# Who may not connect is told which keys let in.
"${GEN%gen}answer" a.sock ''
chmod 000 a.sock
run=
[ "$(id -u)" != 0 ] || run='setpriv --reuid 65534 --clear-groups'
$run test ! -w a.sock || { echo "files here are everybody's"; exit 77; }
chmod 711 . ..
$run "$SCAP" trigger --socket a.sock
