# Nothing is left of a capture that does not fit.
$GEN-ring box abandoned
(ulimit -f 1; trap '' XFSZ; $SCAP recover box 2>&1; echo $?)
ls box*
rm box box.journal*
