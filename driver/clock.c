// SPDX-License-Identifier: GPL-2.0-only
#include "clock.h"

#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/syscore_ops.h>

DEFINE_STATIC_KEY_FALSE(kscap_clock_raw);
struct kscap_clock_scale kscap_clock_scale;

static DEFINE_PER_CPU(u64, last_mono_ns);

/*
 * ktime_get_mono_fast_ns() may step back by some tens of ns when the timekeeper is updated between
 * two readings; a ring's times must not.
 */
u64 kscap_now_mono(void)
{
	u64 now = ktime_get_mono_fast_ns(), last = this_cpu_read(last_mono_ns);

	if (unlikely(now < last))
		return last;
	this_cpu_write(last_mono_ns, now);
	return now;
}

/* It is now_ns. */
static void set_base(u64 now_ns)
{
	kscap_clock_scale.base_ns = now_ns - kscap_arch_scale(kscap_arch_cycles(),
							      kscap_clock_scale.mult);
}

/* One CPU, interrupts off, all tasks frozen: nobody reads the clock in between. */
static u64 suspended_at_ns;

static int clock_suspend(void)
{
	suspended_at_ns = kscap_now();
	return 0;
}

static void clock_resume(void)
{
	set_base(suspended_at_ns);
}

static struct syscore_ops clock_pm = {
	.suspend = clock_suspend,
	.resume = clock_resume,
};

void __init kscap_clock_init(void)
{
	register_syscore_ops(&clock_pm);
	kscap_clock_choose();
}

void kscap_clock_fini(void)
{
	unregister_syscore_ops(&clock_pm);
}

/*
 * Cycles are trusted exactly when the kernel itself keeps time by them: then a snapshot of its
 * clock source lies between two of our own readings, again and again. Under hpet, kvm-clock or
 * Hyper-V's clock it does not.
 */
static bool kernel_keeps_time_by_cycles(void)
{
	struct system_time_snapshot snap;
	int i;

	if (!kscap_arch_cycles_usable())
		return false;
	for (i = 0; i < 16; i++) {
		u64 before = kscap_arch_cycles();

		ktime_get_snapshot(&snap);
		if (snap.cycles < before || snap.cycles > kscap_arch_cycles())
			return false;
	}
	return true;
}

void kscap_clock_choose(void)
{
	if (!kernel_keeps_time_by_cycles()) {
		static_branch_disable(&kscap_clock_raw);
		return;
	}
	if (static_key_enabled(&kscap_clock_raw))
		return;
	kscap_clock_scale.mult = div_u64(1000000ULL << 32, kscap_arch_cycles_khz());
	set_base(ktime_get_mono_fast_ns());
	static_branch_enable(&kscap_clock_raw);
}

/* Interrupts are off so that the three readings belong to one moment. */
void kscap_clock_read(struct scap_clock *ret)
{
	unsigned long flags;

	memset(ret, 0, sizeof(*ret));
	local_irq_save(flags);
	ret->raw_ns = kscap_now();
	ret->real_ns = ktime_get_real_ns();
	ret->boot_ns = ktime_get_boottime_ns();
	local_irq_restore(flags);
	ret->source = static_key_enabled(&kscap_clock_raw) ? SCAP_CLOCK_TSC : SCAP_CLOCK_MONO;
}
