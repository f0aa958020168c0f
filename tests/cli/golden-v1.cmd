# What was ever written is read as it was.
for f in "$GOLDEN"/v1/*.scapz; do
	echo "== ${f##*/}"
	$SCAP verify "$f"
	$SCAP info -j "$f" 2>&1 | sed "s|$GOLDEN/||"
	case $f in
	*/shop.scapz)
		$SCAP read "$f" | cksum
		$SCAP read "$f" 'evt.failed = true or evt.type = procexec'
		$SCAP read -j --all --keyframes "$f" | cksum ;;
	*)
		$SCAP read -j --all --keyframes "$f" 2>&1 | sed "s|$GOLDEN/||" ;;
	esac
done
