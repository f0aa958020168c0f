$SCAP trigger --label a=1 --label a=2
