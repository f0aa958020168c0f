$SCAP info - < whole.scapz
