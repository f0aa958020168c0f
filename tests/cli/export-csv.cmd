$SCAP export --to csv story.scapz | tr -d "\r"
