$SCAP read whole.scapz --tree 101
