$SCAP read dir.scapz
