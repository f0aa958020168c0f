$SCAP record -a -o nodir/new.scapz
