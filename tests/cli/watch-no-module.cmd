# Without the kernel module nothing stays: no socket, no ring.
[ -e /dev/kscap ] && { echo "the kernel module is loaded"; exit 77; }
mkdir no-module
cd no-module
timeout 20 $SCAP watch --dir d --ring r --socket s --listen "unix:$PWD/h" --memory 32M
echo "$?"
ls
