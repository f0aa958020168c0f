. "$GOLDEN/../cli/host.sh"
# Cut everywhere, and with every byte of its headers spoilt: never more than a sentence.
size=$(wc -c < host/lib/modules/$R/extra/kscap.ko)
cp host/lib/modules/$R/extra/kscap.ko good.ko
i=0
while [ $i -lt $size ]; do
	head -c $i good.ko > cut.ko
	$SCAP doctor --root host --module cut.ko > out
	rc=$?
	[ $rc = 1 ] || [ $i = $((size - 1)) ] || [ $i -gt $((size - 18)) ] || echo "cut at $i: $rc"
	{ cat good.ko; head -c 1 /dev/zero; } > flip.ko
	printf '\377' | dd of=flip.ko bs=1 seek=$i conv=notrunc 2> /dev/null
	$SCAP doctor --root host --module flip.ko > out
	rc=$?
	[ $rc -le 1 ] || echo "byte $i: $rc"
	i=$((i + 3))
done
echo done
