# The gap lies between +0.0002 and +0.0003: it is shown if the range touches it.
$SCAP read story.scapz --to +0.00019 | grep -c INCOMPLETE
$SCAP read story.scapz --from +0.00025 --to +0.00026
$SCAP read story.scapz --from +0.0004 | grep -c INCOMPLETE
:
