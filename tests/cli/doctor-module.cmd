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
rm $ko
look module-file
put /lib/modules/$R/modules.dep 'extra/kscap.ko.xz:'
look module-file
put /lib/modules/$R/modules.dep 'extra/kscap.ko5: extra/kscap.ko'
look module-file
look module-file --module good.ko
look module-file --module nosuch.ko
look module-file --module .
