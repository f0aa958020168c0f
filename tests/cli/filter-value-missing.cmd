$SCAP read story.scapz "fd.name contains"
$SCAP read story.scapz "(proc.name startswith)"
