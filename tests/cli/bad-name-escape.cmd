cp text.scapz "$(printf 'a\033b')"
$SCAP info "$(printf 'a\033b')"
rc=$?
rm "$(printf 'a\033b')"
exit $rc
