$SCAP info -j story.scapz
