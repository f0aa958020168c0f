. "$GOLDEN/../cli/host.sh"
put /proc/modules 'kscap "\x 0'
put /proc/sys/kernel/arch 'a"b'
rm host/lib/modules/$R/extra/kscap.ko host/lib/modules/$R/modules.dep
$SCAP doctor -j --root host > out
echo "exit $?"
tr '{' '\n' < out | grep -v -e '"run"' -e '"captures"'
