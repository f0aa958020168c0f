# Names in the file, and the file's own, do not act on the terminal; a long one is shown whole.
name=$(printf 'a\033b.scapz')
cp hostile.scapz "$name"
$SCAP info "$name" | sed 's/x\{1500\}/1500 x/' | head -n 4
rm "$name"
