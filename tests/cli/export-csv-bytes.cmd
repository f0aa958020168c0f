$SCAP export --to csv bytes.scapz | tr -d "\r"
