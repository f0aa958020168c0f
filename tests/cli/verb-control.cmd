$SCAP "$(printf 'a\033[31mb\tc\n\302\233d\303\251\377')"
