$SCAP read story.scapz -j
