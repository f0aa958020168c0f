$SCAP export --to scap --plain -j key.scapz | wc -c
