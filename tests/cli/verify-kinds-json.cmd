for filter in evt.type=read proc.name=httpd; do
	$SCAP verify -j losses.scapz "$filter"; echo $?
done
$SCAP verify -j losses.scapz --to +5 evt.type=getpid; echo $?
