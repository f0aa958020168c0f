$SCAP read "$(printf 'no\033]0;such\a')"
rc=$?
$SCAP verify "$(printf 'no\rsuch')"
$SCAP read whole.scapz "--$(printf '\033')"
exit $rc
