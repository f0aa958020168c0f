# What is printed of the example means the same.
cp "$GOLDEN/../../docs/examples/scap-watch.yaml" .
$SCAP watch -c scap-watch.yaml --print-config > one.yaml
$SCAP watch -c one.yaml --print-config > two.yaml
cmp one.yaml two.yaml && wc -l < one.yaml
