/* SPDX-License-Identifier: GPL-2.0-only */
/* What roles fetch from user memory, as fetch.def and variants.def say. */
#ifndef KSCAP_FETCH_H
#define KSCAP_FETCH_H

#include <linux/types.h>

#include "capture.h"

/* The role that stands behind one of variants.def in this call; 0: none that fetches. */
u8 kscap_variant(const struct kscap_scratch *s, u8 role);
/* The blob of argument i, whose role has a row in fetch.def. */
void kscap_fetch(struct kscap_scratch *s, unsigned int i, u8 role);
/* Finds each role's rows. */
void kscap_fetch_init(void);

#endif
