$SCAP record
