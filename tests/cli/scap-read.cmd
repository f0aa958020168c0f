$SCAP read sample.scap
