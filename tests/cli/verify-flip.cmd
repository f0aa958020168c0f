$SCAP verify flip.scapz
