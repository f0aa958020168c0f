# SPDX-License-Identifier: MIT
# Sourced in the guest: the shop, its business as usual, and one fault, which is mode, move or kill.

word()
{
	tr -dc a-z0-9 </dev/urandom | head -c "$1"
}

shop_prepare()
{
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
}

shop_open()
{
	/tmp/bin/shop-back 8081 "$data" 1000 &
	back=$!
	/tmp/bin/shop-front 8080 8081 &
	front=$!
	sleep 300 &
	bystander=$!
	usleep 300000
}

# What must not be taken for the cause.
shop_usual()
{
	chmod 640 "$other"
	mv "$other" "$other.1"
	/bin/kill -9 $bystander
}

# shop_break FAULT TRUTH: in the file TRUTH is what was really done:
#	FAULT PROCESS PID FILE-OR-VICTIM BEFORE AFTER	(times in ns of wall clock)
shop_break()
{
	before=$(now)
	case $1 in
	mode) (exec chmod 0 "$data") & what=$data name=chmod ;;
	move) (exec mv "$data" "$dir/attic/$(word 5)") & what=$data name=mv ;;
	kill) (exec /bin/kill -9 $back) & what=shop-back:$back name=kill ;;
	esac
	culprit=$!
	wait $culprit
	after=$(now)
	echo "$1 $name $culprit $what $before $after" >"$2"
}

shop_close()
{
	kill -9 $front $back 2>/dev/null
	wait
	rm -rf "$dir"
}
