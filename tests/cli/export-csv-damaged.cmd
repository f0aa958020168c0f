$SCAP export --to csv flip.scapz | tr -d "\r" | cut -d, -f1,5,7,10,12,19
