command -v tshark > /dev/null || { echo "tshark is not there"; exit 77; }
for p in sysdig falco; do
	echo "== $p"
	$SCAP export --to scap --profile $p -o t-$p.scap whole.scapz 2> /dev/null
	tshark -r t-$p.scap -T fields -e frame.number -e frame.time_epoch -e frame.len 2> /dev/null
done
