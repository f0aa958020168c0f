$SCAP trigger --before soon
