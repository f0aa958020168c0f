$SCAP trigger now
