. "$GOLDEN/../cli/host.sh"
$SCAP doctor --root host > out
echo "exit $?"
grep -v -e ' run: ' -e ' captures: ' out
