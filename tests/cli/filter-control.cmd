$SCAP read whole.scapz "$(printf 'evt.type=\a\233x')"
$SCAP read whole.scapz "$(printf 'evt.type=caf\303\251')"
