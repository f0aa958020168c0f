$SCAP read half.scapz
