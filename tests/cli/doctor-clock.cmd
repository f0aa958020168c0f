. "$GOLDEN/../cli/host.sh"
put /sys/devices/system/clocksource/clocksource0/current_clocksource hpet
look clock
put /sys/devices/system/clocksource/clocksource0/available_clocksource 'hpet acpi_pm '
look clock
