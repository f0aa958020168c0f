$SCAP export --to ndjson story.scapz > a && $SCAP read -j story.scapz | cmp a -
$SCAP export --to ndjson story.scapz evt.type=connect > a; $SCAP read -j story.scapz evt.type=connect | cmp a -
