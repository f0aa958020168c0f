# What it took in is there, and what lies in journals of another ring is not.
$GEN-ring box abandoned
mv box.journal2 keep
rm box
$GEN-ring box closed
ls box*
mv keep box.journal2
$SCAP recover box -o closed.scapz | grep -v ^bytes
$SCAP read closed.scapz 2>&1 | tail -n 2
rm box box.journal* closed.scapz
