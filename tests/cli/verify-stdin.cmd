$SCAP verify - < story.scapz
