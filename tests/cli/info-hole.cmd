$SCAP info hole.scapz
$SCAP info -j hole.scapz | tr "," "\n" | grep -e lost -e unexpl
