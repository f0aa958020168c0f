$SCAP export --to scapz -o copy.scapz story.scapz && $SCAP verify copy.scapz | grep -v sealed
$SCAP read --all -j story.scapz > a; $SCAP read --all -j copy.scapz | cmp a - && echo same
