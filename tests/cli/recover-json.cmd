$GEN-ring box abandoned
$SCAP recover -j box -o -box.scapz
rm box box.journal* ./-box.scapz
