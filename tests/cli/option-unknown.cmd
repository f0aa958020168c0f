$SCAP read --cuont-by proc.name story.scapz
