$SCAP record -a evt.res = -13 -o new.scapz
$SCAP record -a evt.type = open
