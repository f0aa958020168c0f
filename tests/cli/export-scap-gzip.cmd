$SCAP export --to scap whole.scapz 2>/dev/null > z.scap.gz; $SCAP export --to scap --plain whole.scapz 2>/dev/null > z.scap; gzip -dc z.scap.gz | cmp - z.scap && gzip -t z.scap.gz && echo same
