$SCAP read whole.scapz --tree 12345 --count-by proc.name
