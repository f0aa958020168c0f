$SCAP read story.scapz -n 3
