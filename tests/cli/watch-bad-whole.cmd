bad()
{
	printf "$1" > c.yaml
	shift
	$SCAP watch -c c.yaml --check-config "$@"
	echo "$?"
}
bad 'http: {tls: {cert: a}, listen: "127.0.0.1:0"}\n'
bad 'http: {token-file: a}\n'
bad 'http: {listen: "127.0.0.1:0", metrics-token: true}\n'
bad 'http: {listen: "[::]:9466"}\n'
bad 'http: {listen: "10.0.0.1:9466"}\n'
# It would be skipped each time.
bad "captures: {hook: {command: [true, $(printf %033000d 0)]}}\n"
# The command line has the rest, or takes another's place.
bad 'http: {listen: "10.0.0.1:9466"}\n' --token-file f
bad 'http: {listen: "10.0.0.1:9466"}\n' --listen unix:/run/x
bad 'triggers: [builtin: crash, builtin: oom]\n' -t crash=evt.type=procexit
