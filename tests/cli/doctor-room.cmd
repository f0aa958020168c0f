# A disk of its own, for this case alone.
unshare -m true 2> /dev/null || { echo "no mounts here"; exit 77; }
export SCAP GEN GOLDEN
unshare -m sh -e <<'END'
. "$GOLDEN/../cli/host.sh"
mount -t tmpfs -o size=4m,mode=755 none host/run
mount -t tmpfs -o size=4m,mode=755 none host/var
look 'run|captures|watch'
mkdir host/var/open
chmod 777 host/var/open
look captures --dir /var/open
echo > host/var/file
look captures --dir /var/file
look captures --dir /nosuch/at/all/
# Nothing of it but / is there.
$SCAP doctor --dir /nosuch/at/all | grep -c "captures: /nosuch/at/all can't" || :
mkdir -p host/usr/local/bin
mv host/usr/bin/scap-watch host/usr/local/bin/
look watch
rm host/usr/local/bin/scap-watch
look watch
END
