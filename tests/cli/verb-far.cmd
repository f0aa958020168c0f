$SCAP xyzzy
