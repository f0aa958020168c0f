$SCAP read whole.scapz "proc.name=httpd and (evt.failed=true or evt.type=getppid)"
echo
$SCAP read whole.scapz proc.name = httpd and evt.rawres = -13
