: > there; $SCAP export --to csv -o there story.scapz; test -s there || echo still empty; $SCAP export --to csv -f -o there story.scapz && test -s there && echo overwritten
