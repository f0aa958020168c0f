# SPDX-License-Identifier: MIT
# Runs in the guest: the shop, a recorder, and one fault; `sh shop.sh OUT FAULT`. FAULT is mode,
# move or kill. Leaves OUT.scapz, and in OUT.truth what was really done:
#	FAULT PROCESS PID FILE-OR-VICTIM BEFORE AFTER	(times in ns of wall clock)

out=$1 fault=$2

word()
{
	tr -dc a-z0-9 </dev/urandom | head -c "$1"
}

dir=/tmp/srv-$(word 4)
data=$dir/prices-$(word 6).csv
other=$dir/orders-$(word 6).csv
mkdir -p "$dir/attic" /tmp/bin
echo "tea 3.20" >"$data"
echo "order 1" >"$other"
chmod 755 "$dir"
chown -R 1000:1000 "$dir"
for p in shop-front shop-back shop-client; do
	ln -sf /scap/guest/shop /tmp/bin/$p
done

scap record -a -o "$out.scapz" >"$out.rec" 2>&1 &
recorder=$!
while ! grep -q '^recording' "$out.rec"; do
	usleep 50000
done

/tmp/bin/shop-back 8081 "$data" 1000 &
back=$!
/tmp/bin/shop-front 8080 8081 &
front=$!
sleep 30 &
bystander=$!
usleep 300000
/tmp/bin/shop-client 8080 20 >"$out.before"

# Business as usual, which must not be taken for the cause.
chmod 640 "$other"
mv "$other" "$other.1"
/bin/kill -9 $bystander
/tmp/bin/shop-client 8080 5 >>"$out.before"

before=$(now)
case $fault in
mode) (exec chmod 0 "$data") & what=$data name=chmod ;;
move) (exec mv "$data" "$dir/attic/$(word 5)") & what=$data name=mv ;;
kill) (exec /bin/kill -9 $back) & what=shop-back:$back name=kill ;;
esac
culprit=$!
wait $culprit
after=$(now)
echo "$fault $name $culprit $what $before $after" >"$out.truth"

/tmp/bin/shop-client 8080 20 >"$out.after"
usleep 200000
kill -INT $recorder
wait $recorder
echo "record exits with $?" >>"$out.rec"
kill -9 $front $back 2>/dev/null
wait
rm -rf "$dir"
