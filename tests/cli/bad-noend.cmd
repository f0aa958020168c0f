$SCAP read noend.scapz | tail -n 2
