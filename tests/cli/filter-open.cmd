$SCAP read whole.scapz "(evt.type=open"
