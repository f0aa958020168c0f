$SCAP read sample.scap --keyframes evt.num=0
