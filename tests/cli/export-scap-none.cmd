$SCAP export --to scap --plain -f -o x4.scap whole.scapz evt.type=reboot
