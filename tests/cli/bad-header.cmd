$SCAP read head.scapz
