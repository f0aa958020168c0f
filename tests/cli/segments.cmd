# Captures one behind the other: sums, and a line for each.
cat story.scapz whole.scapz noend.scapz > c.scapz
$SCAP info c.scapz
$SCAP info -j c.scapz | sed 's/.*"segments"/"segments"/; s/"cpus".*//'
$SCAP verify c.scapz
cat story.scapz whole.scapz > c.scapz
$SCAP verify c.scapz; cat c.scapz | $SCAP verify -; $SCAP info - < c.scapz | grep -A 2 segments
rm c.scapz
