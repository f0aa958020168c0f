$SCAP watch --print-config --listen 127.0.0.1:9466 -t "open=evt.type=open and fd.name=\"/a b\""
