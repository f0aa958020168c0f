$SCAP read whole.scapz "evt.type= and"
