$SCAP export --to scap --profile falco --plain -f -o x2.scap whole.scapz
