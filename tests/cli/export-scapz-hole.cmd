$SCAP export --to scapz hole.scapz > copy-hole.scapz; $SCAP verify copy-hole.scapz; $SCAP export --to scapz tail.scapz > copy-tail.scapz; $SCAP verify copy-tail.scapz
