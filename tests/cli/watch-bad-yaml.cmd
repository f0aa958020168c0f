# What is no YAML, or more of it than is taken.
bad()
{
	printf "$1" > c.yaml
	$SCAP watch -c c.yaml --check-config
	echo "$?"
}
bad 'before: 5s\nafter: \0005s\n'
bad 'before: 5s # \377\n'
bad 'user: \303'
bad '\376\377\000b'
bad 'before: \0335s\n'
bad 'before: 5s # \302\205\n'
bad 'before: "\\0"\n'
bad 'before: "5s\n'
bad 'before: [5s\n'
bad 'before: 5s\n after: 5s\n'
bad '\tbefore: 5s\n'
bad 'before: 5s\n- after\n'
bad 'before: @5s\n'
bad 'before: "\\q"\n'
bad 'before: &x 5s\nafter: *x\n'
bad 'before: *x\n'
bad 'triggers: &x []\n'
bad 'before: !!str 5s\n'
bad 'captures: !keep {}\n'
bad '%%YAML 9.0\n---\nbefore: 5s\n'
bad 'before: 5s\nafter: 5s\nbefore: 6s\n'
bad '? [before]\n: 5s\n'
bad '? {a: 1}\n: 5s\n'
bad 'captures: {keep: {size: [[[[[[[[1]]]]]]]]}}\n'
bad 'before: 5s\n---\nafter: 5s\n'
bad 'before: 5s\n...\n---\n'
bad '[before, 5s]\n'
bad 'before\n'
head -c 1048577 /dev/zero | tr '\0' ' ' > c.yaml
$SCAP watch -c c.yaml --check-config
echo "$?"
# These are right.
bad ''
bad '# nothing\n'
bad '%%YAML 1.1\n---\nbefore: 5s\n...\n'
bad '\357\273\277before: 5s\r\nafter: 5s\r\n'
bad 'captures:\nhttp: ~\ntriggers:\n'
