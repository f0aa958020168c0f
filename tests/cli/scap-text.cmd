$SCAP read text.gz
