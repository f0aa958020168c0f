# Which kinds were lost the gaps tell; which of them a filter means, not always.
for filter in evt.type=read evt.type=getpid evt.type=procfork evt.type=close proc.name=httpd \
	'evt.type in (connect, openat) and fd.port=8080'; do
	echo "$filter"
	$SCAP verify losses.scapz "$filter"
	echo $?
done
$SCAP verify losses.scapz --to +5 evt.type = getpid
