. "$GOLDEN/../cli/host.sh"
put /dev/kscap ''
look 'module|device'
put /proc/modules 'kscap 200704 0 - Live 0x0000000000000000 (OE)'
put /proc/sys/kernel/modules_disabled 1
put /sys/class/misc/kscap/dev 10:123
look 'modules|device'
rm host/sys/class/misc/kscap/dev
look device
put /sys/class/misc/kscap/dev 1:3
rm host/dev/kscap
ln -s /dev/null host/dev/kscap
look device
rm host/dev/kscap
ln -s /dev/zero host/dev/kscap
look device
put /sys/class/misc/kscap/dev 3:5
look device
rm host/dev/kscap
put /dev/kscap ''
put /sys/class/misc/kscap/dev 0:0
look device
rm host/sys/class/misc/kscap/dev
for mode in 600 604 640; do
	chmod $mode host/dev/kscap
	look device-mode || :
done
