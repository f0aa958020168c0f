$SCAP export --to csv
