$SCAP export --to csv story.scapz "proc.nme=sh"
