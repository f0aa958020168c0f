$SCAP --version
