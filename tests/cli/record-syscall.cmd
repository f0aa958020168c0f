$SCAP record -a --syscall opne -o new.scapz
