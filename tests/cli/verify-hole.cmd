$SCAP verify hole.scapz
