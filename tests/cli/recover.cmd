$GEN-ring box abandoned
$SCAP recover box
rm box box.journal*
$SCAP read box-recovered.scapz | tail -n 2
$SCAP info box-recovered.scapz | grep -e ^time -e ^events -e ^lost
$SCAP verify box-recovered.scapz | sed '/^sealed/d; s/byte [0-9]*/byte N/'
stat -c %a box-recovered.scapz
rm box-recovered.scapz
