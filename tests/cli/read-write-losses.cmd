# What is lost stays lost, whatever is left out; between which records, may be known less well.
cat story.scapz trigger.scapz losses.scapz > three.scapz
f='%evt.cpu %evt.time %proc.name %fd.name %evt.args'
show() { grep -v "the file" | sed 's/missing.*//'; }
counts() { tr , '\n' | grep '^"\(lost\|unexplained\|gaps\|ended\)"'; }
for c in story losses hole tail killed flip half three; do
	echo "== $c"
	$SCAP read -f $c.scapz 'evt.type in (getppid, read)' -w l.scapz 2>/dev/null; echo $?
	$SCAP info -j $c.scapz 2>/dev/null | counts > a
	$SCAP info -j l.scapz 2>/dev/null | counts | diff a - && cat a
	$SCAP read $c.scapz -p "$f" 'evt.type in (getppid, read)' 2>/dev/null | show > a
	$SCAP read l.scapz -p "$f" 2>/dev/null | show | diff a - && wc -l < a
done
