$SCAP read key.scapz -n 8 --keyframes
