$SCAP export --to csv story.scapz > /dev/full
