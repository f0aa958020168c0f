cat whole.scapz | $SCAP read - -n 2
