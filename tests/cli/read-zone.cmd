TZ=CET-1 $SCAP read story.scapz -n 1
