$SCAP verify -j story.scapz
$SCAP verify -j whole.scapz
