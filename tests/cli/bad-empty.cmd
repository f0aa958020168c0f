$SCAP read empty.scapz
