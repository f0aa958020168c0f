$GEN-ring box abandoned
flock box $SCAP recover box; echo $?
rm box box.journal*
ls *-recovered* 2>/dev/null
