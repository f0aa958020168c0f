$SCAP --help
