$SCAP read story.scapz --from trigger-2s
