$SCAP info half.scapz
