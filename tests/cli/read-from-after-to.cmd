$SCAP read whole.scapz --from +2 --to +1
