$SCAP export --to scap --plain flip.scapz > /dev/null
