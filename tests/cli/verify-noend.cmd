$SCAP verify noend.scapz
