$SCAP record -a ./make all
