$SCAP read story.scapz -p
