$SCAP verify -j text.scapz
