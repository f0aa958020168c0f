$SCAP trigger --socket nowhere.sock
