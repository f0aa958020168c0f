$SCAP record -p 1 -o new.scapz
