$SCAP export --to scap -o none.scap /etc/passwd; ls none.scap 2>/dev/null
