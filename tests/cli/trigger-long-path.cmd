$SCAP trigger --socket "$(printf %0200d 0)"
