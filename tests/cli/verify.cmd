$SCAP verify whole.scapz
