$SCAP record --snaplne 80 -a -o new.scapz
