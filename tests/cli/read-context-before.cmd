$SCAP read whole.scapz -B 2 "evt.type=openat and evt.failed=true"
