$SCAP read
