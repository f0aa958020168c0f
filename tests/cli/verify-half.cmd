$SCAP verify half.scapz
