$SCAP record -a --syscall open,,read -o new.scapz
$SCAP record -a --syscall '' -o new.scapz
$SCAP record -a --syscall open, -o new.scapz
