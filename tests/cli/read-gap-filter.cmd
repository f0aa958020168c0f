# A gap passes any filter.
$SCAP read story.scapz evt.type=openat and evt.failed=true
