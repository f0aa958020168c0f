bad()
{
	$SCAP watch "$@"
	echo "$?"
}
bad --memroy 5
bad --memory 256X
bad --memory 32767K
bad --before yesterday
bad --after 2d
bad --dir ''
bad --dir "$(printf 'a\033b')"
bad --kernel-ring 100K
bad --snaplen floppy=5
bad --syscall opne
bad --syscall 'open,'
bad --cgroup ''
bad --listen localhost:80
bad --listen 127.0.0.1:70000
bad --listen '[::1:80'
bad --listen unix:http.sock
bad --listen 0.0.0.0:9466
bad --token-file f
bad --listen 127.0.0.1:1 --tls-cert f
bad --trigger panic
bad --trigger evt.type=open
bad --trigger 'Slow=evt.latency > 1s'
bad --trigger 'slow=evt.latencie > 1s'
bad --trigger 'slow='
bad --trigger hand=evt.type=open
bad file.yaml
bad -- ls
bad -c missing.yaml
bad -c .
