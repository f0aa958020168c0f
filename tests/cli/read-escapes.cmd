# Nothing of a capture acts on the terminal.
$SCAP read whole.scapz evt.type=openat | LC_ALL=C grep -c '[[:cntrl:]]'
