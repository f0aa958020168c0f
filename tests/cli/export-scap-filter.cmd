$SCAP export --to scap --plain -f -o x3.scap whole.scapz evt.type=read
