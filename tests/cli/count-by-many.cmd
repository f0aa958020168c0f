$SCAP read many.scapz --count-by evt.num
