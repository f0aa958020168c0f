$SCAP export --to scap --profile wireshark story.scapz
