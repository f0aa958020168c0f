ln -s elsewhere link; $SCAP export --to csv -f -o link story.scapz; ls elsewhere 2>/dev/null
