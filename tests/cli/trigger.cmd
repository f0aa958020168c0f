"${GEN%gen}answer" a.sock '{"ok":true,"file":"/var/lib/scap/x.scapz"}
'
$SCAP trigger --name slow --why 'checkout "hangs"' --label ticket=4711 --label 'a=b=c' \
	--before 2m --after 1.5s --wait --socket a.sock || exit
cat request.json
