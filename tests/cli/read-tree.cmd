$SCAP read whole.scapz --tree 100
