$SCAP read --help
