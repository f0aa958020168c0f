$SCAP read flip.scapz
