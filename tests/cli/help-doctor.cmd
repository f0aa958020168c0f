$SCAP doctor --help
