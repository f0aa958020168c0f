# A broken seal vouches for nothing since the one before it.
v() { $SCAP verify "$@" > a; rc=$?; grep -v ^sealed: a | sed 's/"seal":"[0-9a-f]*",//'; echo $rc; }
v forged.scapz
v forged.scapz --to +20
v forged.scapz --from +22 --to +24
v -j forged.scapz --from +22 --to +24
