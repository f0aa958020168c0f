$SCAP read nomagic.scapz
