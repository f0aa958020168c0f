# Status 141 is death by SIGPIPE, without a word.
{ $SCAP read many.scapz; echo $? >&2; } | head -n 1
