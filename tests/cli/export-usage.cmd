$SCAP export story.scapz
