gzip -c sample.scap | $SCAP read - -j evt.type=connect
