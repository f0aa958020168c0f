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
# A part of all ids, and all of them with another beginning.
put /proc/self/uid_map '         0          0      65536'
look permissions
put /proc/self/uid_map '         0     100000 4294967295'
look permissions
rm host/run/systemd/container host/proc/self/uid_map
put /.dockerenv ''
look 'permissions|container'
rm host/.dockerenv
put /run/.containerenv ''
look 'permissions|container'
# CAP_SYS_ADMIN alone; all but that, CAP_PERFMON and CAP_SYS_PTRACE.
put /proc/self/status 'CapEff:	0000000000200000'
look permissions
put /proc/self/status 'CapEff:	000001bfffd7ffff'
look permissions
put /proc/self/status 'CapEff:	000001ffffffffff'
mkdir host/proc/self/ns
ln -s 'user:[4026531837]' host/proc/self/ns/user
put /proc/self/uid_map '         0     100000      65536'
look permissions
ln -sf 'user:[4026532000]' host/proc/self/ns/user
look permissions
