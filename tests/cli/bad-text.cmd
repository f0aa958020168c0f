$SCAP read text.scapz
