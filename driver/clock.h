/* SPDX-License-Identifier: GPL-2.0-only */
/* The clock of all records: raw, monotonic, the same on all CPUs. */
#ifndef KSCAP_CLOCK_H
#define KSCAP_CLOCK_H

#include <linux/jump_label.h>
#include <linux/ktime.h>
#include <linux/timekeeping.h>

#include "arch/x86.h"

struct scap_clock;

/* ns = cycles * mult >> 32, + base_ns */
struct kscap_clock_scale {
	u64 base_ns;
	u64 mult;
};

DECLARE_STATIC_KEY_FALSE(kscap_clock_raw);
extern struct kscap_clock_scale kscap_clock_scale;

static __always_inline bool kscap_clock_is_raw(void)
{
	return static_branch_likely(&kscap_clock_raw);
}

static __always_inline u64 kscap_now_raw(void)
{
	return kscap_clock_scale.base_ns +
	       kscap_arch_scale(kscap_arch_cycles(), kscap_clock_scale.mult);
}

/* The fallback, kept from stepping back on one CPU. */
u64 kscap_now_mono(void);

static __always_inline u64 kscap_now(void)
{
	return kscap_clock_is_raw() ? kscap_now_raw() : kscap_now_mono();
}

/* How far apart two CPUs may read the clock at one moment. */
static inline u64 kscap_clock_skew_ns(void)
{
	return kscap_clock_is_raw() ? 0 : 1000;
}

/* At load and unload: the cycle counter begins anew after a suspend to memory. */
void kscap_clock_init(void);
void kscap_clock_fini(void);
/* Chooses the clock, or finds the choice still right. Only while no probe is attached. */
void kscap_clock_choose(void);
/* One moment on all three clocks. Process context. */
void kscap_clock_read(struct scap_clock *ret);

#endif
