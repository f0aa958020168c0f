# Half of the second group is left; the journals' slices come behind the hole.
$GEN-ring box abandoned
first=$(od -An -tu8 -j $((2097152 + 24)) -N 8 box | tr -d ' ')
truncate -s $((2097152 + first + 200)) box
$SCAP recover box -o cut.scapz | grep -e ^ring -e ^time -e ^events -e ^sections -e ^damaged
$SCAP read cut.scapz 2>/dev/null | grep INCOMPLETE
rm box box.journal* cut.scapz
