$SCAP read story.scapz --count-by evt.type
