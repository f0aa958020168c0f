$SCAP export --to scap --plain -o es.scap story.scapz; od -A d -t x4 -N 32 es.scap; stat -c %a es.scap
