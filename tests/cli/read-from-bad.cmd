$SCAP read whole.scapz --from yesterday
