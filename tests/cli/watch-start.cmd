# What is wrong is said before the kernel module is asked for, in a sentence, and with a way out.
mkdir watch-start
cd watch-start
watch()
{
	echo "$*" | sed "s|$(pwd -P)|HERE|g"
	{
		timeout 20 $SCAP watch --dir d --ring r --socket s "$@"
		echo "$?"
	} 2>&1 | sed "s|$(pwd -P)|HERE|g"
}
: > empty
echo text > file
mkdir open && chmod 1777 open
echo 'control: {owner: no-such-user}' > owner.yaml
watch --user no-such-user
watch --user root
watch --dir /nonexistent/a/b
watch --dir file
watch --dir open
watch --socket /nonexistent/a/b
watch --socket file
watch -c owner.yaml
watch --listen unix:/nonexistent/a/b
watch --listen "unix:$PWD/file"
watch --listen 127.0.0.1:0 --token-file missing
watch --listen 127.0.0.1:0 --token-file empty
watch --listen 127.0.0.1:0 --tls-cert missing --tls-key missing
watch --listen 127.0.0.1:0 --tls-cert file --tls-key missing
watch --ring /nonexistent/a/b
watch --ring file
# Whatever it had made by then is gone, but for the directory of captures.
ls
