$SCAP record -a -o /proc/new.scapz
