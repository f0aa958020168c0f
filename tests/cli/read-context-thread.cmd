# Context never comes from another thread.
$SCAP read whole.scapz -B 100 evt.rawres=-2 -p '%thread.tid' | sort | uniq -c
