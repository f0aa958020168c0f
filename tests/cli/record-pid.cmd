$SCAP record --pid 0 -o new.scapz
