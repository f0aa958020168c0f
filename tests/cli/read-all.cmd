$SCAP read whole.scapz --all -n 4
