$SCAP verify sample.scap
