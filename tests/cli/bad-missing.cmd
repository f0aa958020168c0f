$SCAP read nothere.scapz
