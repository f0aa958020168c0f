$SCAP export --to scapz noend.scapz > copy-noend.scapz; $SCAP verify copy-noend.scapz
