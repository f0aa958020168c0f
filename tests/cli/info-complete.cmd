for f in whole story noend hole flip tail; do
	echo $f $($SCAP info -j $f.scapz | tr "," "\n" | grep -e complete -e ended)
done
