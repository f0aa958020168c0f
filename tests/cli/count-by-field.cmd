$SCAP read whole.scapz --count-by proc.nmae
