/* SPDX-License-Identifier: GPL-2.0-only */
/* /dev/kscap: an open file is a consumer. */
#ifndef KSCAP_CHARDEV_H
#define KSCAP_CHARDEV_H

int kscap_chardev_init(void);
void kscap_chardev_fini(void);

#endif
