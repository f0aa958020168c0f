. "$GOLDEN/../cli/host.sh"
put /proc/meminfo 'MemTotal:        1024000 kB'
look rings
put /sys/devices/system/cpu/possible 0-255
look rings
put /sys/module/kscap/parameters/ring_cap_mib 31
look rings
put /sys/module/kscap/parameters/ring_cap_mib 100000
look rings
put /proc/meminfo 'MemAvailable:    2359296 kB'
look rings
put /proc/meminfo 'MemAvailable:    2359295 kB'
look rings
put /sys/devices/system/cpu/possible 'nonsense'
look rings
put /sys/devices/system/cpu/possible 99999999999999999999
look rings
