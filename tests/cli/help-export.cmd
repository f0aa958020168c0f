$SCAP export --help
