bad()
{
	printf "$1" > c.yaml
	$SCAP watch -c c.yaml --check-config
	echo "$?"
}
bad 'recroding: {memory: 5M}\n'
bad 'xyz: 1\n'
bad 'recording:\n  memroy: 5M\n'
bad 'captures:\n  keep:\n    sizes: 5M\n'
bad 'http: {tls: {certificate: a}}\n'
bad 'memory: 5M\n'
bad 'captures.keep.size: 5M\n'
bad 'captures: {keep.size: 5M}\n'
bad 'triger: []\n'
bad '"": 5\n'
bad '"\\e[31m": 5\n'
bad 'triggers:\n- name: x\n  fliter: a\n'
bad 'triggers:\n- name: x\n  retention: a\n'
