# scap-watch is looked for beside scap, and where make install puts it.
mkdir -p at/bin at/libexec/scap
cp "$SCAP" at/bin/scap
at/bin/scap watch --check-config 2>&1 | sed "s|$(pwd -P)|HERE|g"
cp "$(dirname "$SCAP")/scap-watch" at/libexec/scap
at/bin/scap watch --check-config
touch at/bin/scap-watch
at/bin/scap watch --check-config 2>&1 | sed "s|$(pwd -P)|HERE|g"
