$SCAP read story.scapz "evt.time > '22:13:20'"
