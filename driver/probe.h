/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints: found by name at load, attached while a consumer needs them. */
#ifndef KSCAP_PROBE_H
#define KSCAP_PROBE_H

#include <linux/types.h>

/* At load: 0, or -ENOENT when the kernel lacks a tracepoint. */
int kscap_probe_init(void);
/* Stash, scratch memory, clock, probes: made with the first get, gone with the last put. Sleeps. */
int kscap_probe_get(void);
void kscap_probe_put(void);
/* The same for probes of optional classes (SCAP_CLASS_*), while kscap_probe_get() is held. */
int kscap_class_get(u32 classes);
void kscap_class_put(u32 classes);

#endif
