$SCAP export --to csv -o - story.scapz "evt.type=connect" | od -c | tail -n 4
