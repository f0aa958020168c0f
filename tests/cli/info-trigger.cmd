$SCAP info trigger.scapz
