$SCAP read whole.scapz -n 1 --color always | cat -v
NO_COLOR=1 $SCAP read whole.scapz -n 1 --color auto
$SCAP read whole.scapz -n 1 --color sometimes
