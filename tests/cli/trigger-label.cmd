$SCAP trigger --label severity
