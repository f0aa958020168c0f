# No room to recover a ring into: it stays beside, and does not keep the recorder from recording.
[ -e /dev/kscap ] && { echo "the kernel module is loaded"; exit 77; }
mkdir left
cd left
$GEN-ring box abandoned
# Of one that was put aside before, and removed; its journals were forgotten.
echo old > box.left.journal2
(ulimit -f 3; trap '' XFSZ; timeout 20 $SCAP watch --dir d --ring box --socket s --memory 32M 2>&1)
ls
$SCAP recover box.left -o out.scapz | grep events
$GEN-ring box abandoned
(ulimit -f 3; trap '' XFSZ; timeout 20 $SCAP watch --dir d --ring box --socket s --memory 32M 2>&1)
ls
