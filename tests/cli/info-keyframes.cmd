$SCAP info key.scapz && $SCAP verify key.scapz && $SCAP read key.scapz >a && $SCAP read whole.scapz >b && cmp a b
