$SCAP read key.scapz -j --keyframes 'evt.num = 0'
