$SCAP recover --help
