$SCAP info story.scapz whole.scapz
