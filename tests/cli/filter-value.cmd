$SCAP read whole.scapz "proc.pid=abc"
