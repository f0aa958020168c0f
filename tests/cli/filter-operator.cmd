$SCAP read whole.scapz "proc.pid contains 3"
