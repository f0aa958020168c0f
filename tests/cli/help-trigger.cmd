$SCAP trigger -h
