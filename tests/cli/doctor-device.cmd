. "$GOLDEN/../cli/host.sh"
look 'module|device'
put /proc/modules 'kscap 200704 0 - Live 0x0000000000000000 (OE)'
look 'module|device'
put /dev/kscap ''
chmod 666 host/dev/kscap
look 'module|device-mode|device'
