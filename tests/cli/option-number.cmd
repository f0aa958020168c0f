$SCAP read story.scapz -n many
