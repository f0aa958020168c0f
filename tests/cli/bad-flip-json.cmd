$SCAP read flip.scapz -j | grep damage
