$SCAP record -a -o story.scapz
cmp story.scapz story.scapz
