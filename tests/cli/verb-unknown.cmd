$SCAP raed story.scapz
