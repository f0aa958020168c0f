$SCAP read whole.scapz "evt.tpye=open"
