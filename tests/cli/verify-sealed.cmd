# The same seal, whatever is asked for, and by a pipe.
$SCAP verify sealed.scapz > a && $SCAP verify sealed.scapz --from +12 --to +13 > b
$SCAP verify - < sealed.scapz | cmp - a; [ "$(grep ^sealed: a)" = "$(grep ^sealed: b)" ] || echo another seal
for f in a b; do grep -v sealed: $f; done
$SCAP verify -j - < sealed.scapz > c
grep -q "\"seal\":\"$(sed -n 's/^sealed: //p' a)\"" c && sed 's/"seal":"[0-9a-f]*",//' c
