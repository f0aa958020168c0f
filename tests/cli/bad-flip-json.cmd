$SCAP read flip.scapz -j | tail -n 1
