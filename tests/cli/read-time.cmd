$SCAP read story.scapz -n 3 -t a
$SCAP read story.scapz -n 3 -t r
$SCAP read story.scapz -n 3 -t d
$SCAP read story.scapz -t x
