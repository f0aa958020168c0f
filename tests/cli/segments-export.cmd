# A copy has the same segments; a .scap file all of their events.
cat story.scapz key.scapz whole.scapz > c.scapz
$SCAP export --to scapz -o segcopy.scapz c.scapz
$SCAP read --all --keyframes c.scapz > sega && $SCAP read --all --keyframes segcopy.scapz > segb && cmp sega segb && wc -l < segb
$SCAP info segcopy.scapz | grep -A 3 segments
$SCAP export --to csv c.scapz | wc -l
$SCAP export --to scap -o segcopy.scap c.scapz 2> /dev/null && $SCAP read segcopy.scap | grep -c openat
{ head -c 800 whole.scapz; cat story.scapz; } > c.scapz
$SCAP export --to scapz -f -o segcopy.scapz c.scapz
$SCAP verify segcopy.scapz
rm c.scapz segcopy.scap segcopy.scapz sega segb
