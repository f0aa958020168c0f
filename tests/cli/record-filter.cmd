$SCAP record -a -o new.scapz evt.type=open
