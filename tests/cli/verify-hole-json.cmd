$SCAP verify -j hole.scapz
