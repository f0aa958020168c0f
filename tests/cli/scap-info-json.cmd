$SCAP info -j sample.scap
