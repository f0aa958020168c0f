$SCAP export --to scapz story.scapz evt.type=read
