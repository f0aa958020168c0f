$SCAP read story.scapz -j evt.num=9999
