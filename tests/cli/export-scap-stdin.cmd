$SCAP export --to scap --plain - < key.scapz > /dev/null
