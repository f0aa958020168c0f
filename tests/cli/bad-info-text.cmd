$SCAP info text.scapz
