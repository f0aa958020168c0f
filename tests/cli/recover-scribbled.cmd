$GEN-ring box abandoned
# The header, and with it the ring's id; then the second group's payload, which shows as lost.
head -c 512 /dev/urandom | dd of=box conv=notrunc status=none
$SCAP recover box -o a.scapz | grep -e ^ring -e ^time -e ^events -e ^damaged
first=$(od -An -tu8 -j $((2097152 + 24)) -N 8 box | tr -d ' ')
printf scribble | dd of=box bs=1 seek=$((2097152 + first + 300)) conv=notrunc status=none
$SCAP recover box -o b.scapz | grep -e ^ring -e ^time -e ^events -e ^damaged
$SCAP info b.scapz 2>/dev/null | sed -n '/^lost/,/^bytes/p' | head -n 2
# The host's description.
printf scribble | dd of=box bs=1 seek=$((8192 + 60)) conv=notrunc status=none
$SCAP recover box -o c.scapz | grep -e ^ring -e ^time -e ^events -e ^damaged
$SCAP info c.scapz 2>/dev/null | grep -e ^host -e ^recorder -e ^events
rm box box.journal* a.scapz b.scapz c.scapz
