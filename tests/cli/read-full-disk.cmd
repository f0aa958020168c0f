$SCAP read many.scapz -n 100000 > /dev/full
