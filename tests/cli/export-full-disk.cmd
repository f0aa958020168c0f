$SCAP export --to scap many.scapz > /dev/full
