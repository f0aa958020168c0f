# SPDX-License-Identifier: MIT
# Runs in the guest: the shop, a recorder, and one fault; `sh demo.sh OUT FAULT`. Leaves OUT.scapz,
# and OUT.truth, as shop_break says.

out=$1 fault=$2
. /scap/shop.sh

shop_prepare
scap record -a -o "$out.scapz" >"$out.rec" 2>&1 &
recorder=$!
while ! grep -q '^recording' "$out.rec"; do
	usleep 50000
done

shop_open
/tmp/bin/shop-client 8080 20 >"$out.before"
shop_usual
/tmp/bin/shop-client 8080 5 >>"$out.before"
shop_break "$fault" "$out.truth"
/tmp/bin/shop-client 8080 20 >"$out.after"
usleep 200000
kill -INT $recorder
wait $recorder
echo "record exits with $?" >>"$out.rec"
shop_close
