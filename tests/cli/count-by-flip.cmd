$SCAP read flip.scapz --count-by proc.name
$SCAP read noend.scapz --count-by proc.name
