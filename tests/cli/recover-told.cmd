# What was lost last is in no record, but the ring says where the CPU stood.
$GEN-ring box told
$SCAP recover box | grep -e ^ring -e ^time -e ^events
rm box box.journal*
$SCAP verify box-recovered.scapz | sed '/^sealed/d'
$SCAP info -j box-recovered.scapz | grep -o '"incomplete":[^]]*]'
rm box-recovered.scapz
