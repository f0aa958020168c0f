$SCAP read hole.scapz --count-by proc.name
$SCAP read hole.scapz -j --count-by proc.name
