$SCAP trigger --why "$(printf 'a\377')"
