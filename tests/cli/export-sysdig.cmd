command -v sysdig > /dev/null || { echo "sysdig is not there"; exit 77; }
format='*%evt.num %evt.rawtime %evt.dir %evt.type %thread.tid %proc.name %fd.name %evt.args'
$SCAP export --to scap -o s-key.scap key.scapz 2> /dev/null
sysdig -r s-key.scap -p "$format" | tr -d '\033'
# What does not match is there for the names, and not shown.
echo "== filter"
$SCAP export --to scap -o s-filter.scap key.scapz evt.type=read 2> /dev/null
sysdig -r s-filter.scap -p "$format"
