$SCAP info story.scapz
