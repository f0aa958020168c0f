. "$GOLDEN/../cli/host.sh"
ko=host/lib/modules/$R/extra/kscap.ko
cp $ko good.ko
$KO name=kscap "vermagic=6.1.0-55-amd64 SMP " > $ko
look module-file
rm -r host/lib/modules/$R/build
look 'headers|module-file'
put /proc/modules 'kscap 200704 0 - Live 0x0000000000000000 (OE)'
put /dev/kscap ''
look 'module|module-file'
rm host/dev/kscap
put /proc/modules ''
# With versions of symbols: the same series, another, a longer name, a shorter one.
for v in 6.1.0-55-amd64 6.1.1-56-amd64 6.1.01-56-amd64 6.1.0 6.1; do
	$KO -v name=kscap "vermagic=$v SMP " > $ko
	look module-file
done
put /proc/modules 'kscap 200704 0 - Live 0x0000000000000000 (OE)'
put /dev/kscap ''
$KO name=other "vermagic=$R SMP " > $ko
look module-file
$KO name=kscap > $ko
look module-file
echo text > $ko
look module-file
: > $ko
look module-file
head -c 64 /dev/zero > $ko
look module-file
truncate -s 65M $ko
look module-file
# The class, the order of bytes and the machine are another's.
for at in 4 5 18; do
	cp good.ko $ko
	printf '\003' | dd of=$ko bs=1 seek=$at conv=notrunc 2> /dev/null
	look module-file
done
rm $ko
look module-file
for end in xz zst gz; do
	put /lib/modules/$R/modules.dep "extra/kscap.ko.$end:"
	look module-file
done
put /lib/modules/$R/modules.dep 'extra/kscap.ko5: extra/kscap.ko'
look module-file
look module-file --module good.ko
look module-file --module nosuch.ko
look module-file --module .
