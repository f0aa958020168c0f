$SCAP read whole.scapz --count-by proc.name -j proc.pid=200
