$SCAP record -s 1M -a -o new.scapz
