$SCAP read -Z story.scapz
