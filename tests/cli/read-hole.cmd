$SCAP read hole.scapz "evt.type=procexit or evt.type=openat"
