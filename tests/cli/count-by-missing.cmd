$SCAP read whole.scapz --count-by fd.name
