. "$GOLDEN/../cli/host.sh"
printf '\006\000\000\000\001' > var
put /sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c ''
cp var host/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
look 'lockdown|signatures|module-file'
put /sys/kernel/security/lockdown 'none [integrity] confidentiality'
look 'lockdown|signatures|module-file'
put /sys/kernel/security/lockdown '[none] integrity confidentiality'
put /sys/module/module/parameters/sig_enforce Y
rm host/sys/firmware/efi/efivars/*
look 'lockdown|signatures|module-file'
printf '~Module signature appended~\n' >> host/lib/modules/$R/extra/kscap.ko
look 'lockdown|signatures|module-file'
put /sys/module/module/parameters/sig_enforce N
echo CONFIG_MODULE_SIG_FORCE=y >> host/boot/config-$R
look 'lockdown|signatures|module-file'
rm -r host/sys/firmware
look 'signatures'
