$SCAP verify half.scap
