# What is no capture, between two and behind them, is damage.
{ cat whole.scapz; echo junk; cat whole.scapz; head -c 100 text.scapz; } > c.scapz
$SCAP verify c.scapz
$SCAP read c.scapz | tail -n 1
# The second one's header is damaged: it is not read.
{ cat whole.scapz; head -c 20 whole.scapz; printf x; tail -c +22 whole.scapz; } > c.scapz
$SCAP verify c.scapz
rm c.scapz
