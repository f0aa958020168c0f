$SCAP info --json=yes story.scapz
