$SCAP export --to csv --plain story.scapz
