$SCAP read whole.scapz --count-by proc.name -p %evt.num
