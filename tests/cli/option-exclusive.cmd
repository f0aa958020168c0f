$SCAP read story.scapz -j -p %evt.num
