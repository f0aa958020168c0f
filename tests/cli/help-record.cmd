$SCAP record --help
