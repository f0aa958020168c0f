$SCAP info sample.scap
