$SCAP read many.scapz --count-by evt.num evt.num "<=" 1000000 | wc -l
