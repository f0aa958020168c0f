# Beside all gaps; with gaps in it; within a gap; from within a gap; beyond the recording.
for range in "+2 +3" "+1.4 +2" "+1.6 +1.7" "+0.6 +1" "+6 +9"; do
	set -- $range
	$SCAP verify losses.scapz --from $1 --to $2; echo $?
done
$SCAP verify whole.scapz --from 22:13; echo $?
$SCAP verify whole.scapz --from 22:13:19; echo $?
