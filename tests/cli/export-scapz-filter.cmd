$SCAP export --to scapz story.scapz evt.type=read > e.scapz && $SCAP read e.scapz
