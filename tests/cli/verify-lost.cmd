$SCAP verify story.scapz
