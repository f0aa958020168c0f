. "$GOLDEN/../cli/host.sh"
put /proc/self/status 'CapEff:	0000000000000000'
look 'permissions|container'
put /proc/self/status 'CapEff:	0000004000080000'
look 'permissions|container'
put /proc/self/status 'CapEff:	0000004000000000'
look 'permissions|container'
put /proc/self/status 'CapEff:	000001ffffffffff'
put /proc/self/uid_map '         0     100000      65536'
put /run/systemd/container 'lxc'
look 'permissions|container'
rm host/run/systemd/container host/proc/self/uid_map
put /.dockerenv ''
look 'permissions|container'
mkdir host/proc/self/ns
ln -s 'user:[4026531837]' host/proc/self/ns/user
put /proc/self/uid_map '         0     100000      65536'
look permissions
ln -sf 'user:[4026532000]' host/proc/self/ns/user
look permissions
