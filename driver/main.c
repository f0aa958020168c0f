// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>

#include "chardev.h"
#include "clock.h"
#include "fill.h"
#include "mount.h"
#include "path.h"
#include "probe.h"
#include "table.h"

static int __init kscap_init(void)
{
	int rc;

	kscap_table_init();
	kscap_path_init();
	kscap_mount_init();
	kscap_sock_init();
	rc = kscap_probe_init();
	if (rc)
		return rc;
	kscap_clock_init();
	rc = kscap_chardev_init();
	if (rc)
		kscap_clock_fini();
	return rc;
}

static void __exit kscap_exit(void)
{
	kscap_chardev_fini();
	kscap_clock_fini();
}

module_init(kscap_init);
module_exit(kscap_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("scap: flight recorder for system calls");
MODULE_VERSION("0.1");
