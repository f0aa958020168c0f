. "$GOLDEN/../cli/host.sh"
rm host/sys/kernel/security/lockdown
look 'lockdown|signatures'
echo CONFIG_SECURITY_LOCKDOWN_LSM=y >> host/boot/config-$R
look 'lockdown|signatures'
put /sys/kernel/security/lsm 'capability,yama'
look 'lockdown|signatures'
rm -r host/sys/kernel/security
look 'lockdown|signatures'
put /sys/kernel/security/lockdown 'none integrity'
look 'lockdown|signatures|module-file'
put /sys/kernel/security/lockdown 'none integrity [confidentiality]'
look 'lockdown|signatures|module-file'
