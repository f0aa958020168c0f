$SCAP help info
