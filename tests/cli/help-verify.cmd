$SCAP verify -h
