cp "$GOLDEN/../../docs/examples/scap-watch.yaml" .
$SCAP watch -c scap-watch.yaml --check-config
echo 'before: 5s' | $SCAP watch --check-config -c -
$SCAP watch --check-config --trigger crash --trigger oom
