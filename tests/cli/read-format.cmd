$SCAP read story.scapz -p '%evt.num %proc.name %evt.type %fd.name' -n 5
