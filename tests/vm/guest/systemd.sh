# SPDX-License-Identifier: MIT
# Sourced by init where the kernel's command line says boot=systemd: makes way for Debian's systemd,
# which runs from the host's /usr, with /share/stage/usr/local in its place. Of Debian's units only
# journald is started, and what it needs; then the cases.

n=/new
mkdir $n
mount -t tmpfs -o mode=755,size=90% root $n
cd $n || exit 1
mkdir -p usr proc sys dev run tmp etc root home boot var/lib var/log share scap/bin scap/guest
for d in bin sbin lib lib32 lib64 libx32; do
	ln -s usr/$d $d
done
chmod 1777 tmp
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=loose,ro usr usr
mount -t tmpfs -o mode=755 modules usr/lib/modules
mount -t tmpfs -o mode=755 local usr/local
for d in usr/lib/systemd/system/*.wants usr/lib/systemd/system-generators; do
	mount -t tmpfs none $d
done
cp -a /share/stage/usr/local/. usr/local/
chown -R 0:0 usr/local
mkdir -p usr/lib/modules/$(uname -r)/updates
cp /scap/kscap.ko usr/lib/modules/$(uname -r)/updates/
cp /bin/busybox scap/bin/
cp /scap/*.sh scap/
cp /scap/guest/jget scap/guest/
cp /etc/passwd /etc/group /etc/hosts etc/
echo 00000000000000000000000000000001 >etc/machine-id

u=etc/systemd/system
mkdir -p $u/sysinit.target.wants $u/multi-user.target.wants
ln -s /lib/systemd/system/multi-user.target $u/default.target
ln -s /lib/systemd/system/systemd-journald.service $u/sysinit.target.wants/
ln -s ../cases.service $u/multi-user.target.wants/
# Programs of the cases are busybox's, those of units Debian's.
cat >$u/cases.service <<'END'
[Service]
Environment=PATH=/scap/guest:/scap/bin:/usr/local/bin:/usr/bin:/usr/sbin HOME=/root
ExecStart=/scap/bin/sh -c 'sh /scap/cases.sh; sync; umount /share; poweroff -f'
StandardOutput=file:/dev/console
END
for m in proc sys dev share; do
	mount --bind /$m $n/$m
done
mount --bind /sys/fs/cgroup $n/sys/fs/cgroup
chroot $n /scap/bin/busybox --install -s /scap/bin
exec switch_root $n /lib/systemd/systemd
