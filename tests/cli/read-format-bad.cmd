$SCAP read story.scapz -p '%evt.num %proc.nmae'
