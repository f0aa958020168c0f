$SCAP read story.scapz
