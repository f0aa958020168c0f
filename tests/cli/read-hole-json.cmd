$SCAP read -j hole.scapz | grep gap
