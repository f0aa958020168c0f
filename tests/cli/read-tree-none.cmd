$SCAP read whole.scapz --tree 12345
