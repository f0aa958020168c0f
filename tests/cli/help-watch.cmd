$SCAP help watch
