$SCAP export --to scapz key.scapz > copy-key.scapz; $SCAP read --all --keyframes -j key.scapz > a; $SCAP read --all --keyframes -j copy-key.scapz | cmp a - && $SCAP verify copy-key.scapz
