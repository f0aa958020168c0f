# No link is followed, neither a dangling one nor one to a file, also not with force.
ln -s nowhere dangling.scapz
ln -s whole.scapz link.scapz
for f in dangling link; do
	$GEN open $f.scapz; echo $?
	$GEN open $f.scapz force; echo $?
done
ls nowhere
$SCAP verify whole.scapz
