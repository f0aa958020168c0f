$SCAP trigger --socket story.scapz --wait
