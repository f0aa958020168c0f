$SCAP read whole.scapz | tail -n 3
