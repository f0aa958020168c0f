# One way through: the same from a pipe.
for part in "evt.type=read" "--from +2 --to +3" "--tree 100"; do
	$SCAP verify losses.scapz $part > a; echo $?
	cat losses.scapz | $SCAP verify - $part | cmp - a && echo same
done
