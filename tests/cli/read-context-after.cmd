$SCAP read whole.scapz -A 1 "evt.type=openat and evt.failed=true"
