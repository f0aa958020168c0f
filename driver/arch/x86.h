/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the driver must know of the architecture: number, ABI, arguments and result of a call, and
 * a clock cheaper than the kernel's. Nothing outside this folder knows which one it runs on.
 */
#ifndef KSCAP_ARCH_X86_H
#define KSCAP_ARCH_X86_H

#include <asm/msr.h>
#include <asm/syscall.h>
#include <asm/tsc.h>
#include <linux/ktime.h>
#include <linux/timekeeping.h>
#include <scap/abi.h>

#define KSCAP_X32_BIT	0x40000000

/*
 * TS_COMPAT is set from the entry of a 32-bit call until after its exit tracepoint; it describes
 * the call, whereas cs and TIF_ADDR32 describe the program (int 0x80 from 64-bit code).
 */
static __always_inline unsigned int kscap_arch_abi(int nr)
{
	if (current_thread_info()->status & TS_COMPAT)
		return SCAP_ABI_I386;
	return nr >= KSCAP_X32_BIT ? SCAP_ABI_X32 : SCAP_ABI_X86_64;
}

/* The same for numbers that are known to be small. */
static __always_inline unsigned int kscap_arch_abi_small(void)
{
	BUILD_BUG_ON(TS_COMPAT != 2 || SCAP_ABI_I386 != 1);
	return (current_thread_info()->status & TS_COMPAT) / 2;
}

/* The same for a call of another task. */
static inline unsigned int kscap_arch_abi_of(struct task_struct *task, int nr)
{
	if (READ_ONCE(task_thread_info(task)->status) & TS_COMPAT)
		return SCAP_ABI_I386;
	return nr >= KSCAP_X32_BIT ? SCAP_ABI_X32 : SCAP_ABI_X86_64;
}

/*
 * Do the registers of a task that does not run say that it is in a call? The number is -1 after
 * interrupts and exceptions, and the result is set to -ENOSYS until there is another one.
 */
static inline bool kscap_arch_in_call(const struct pt_regs *regs)
{
	return (int)regs->orig_ax >= 0 && regs->ax == -ENOSYS;
}

/* The first n arguments at least; of a 32-bit call only the lower halves exist. */
static __always_inline void kscap_arch_args(const struct pt_regs *regs, unsigned int abi, u64 *args,
					    unsigned int n)
{
	if (unlikely(abi == SCAP_ABI_I386)) {
		args[0] = (u32)regs->bx;
		args[1] = (u32)regs->cx;
		args[2] = (u32)regs->dx;
		args[3] = (u32)regs->si;
		args[4] = (u32)regs->di;
		args[5] = (u32)regs->bp;
	} else {
		args[0] = regs->di;
		args[1] = regs->si;
		args[2] = regs->dx;
		if (n <= 3)
			return;
		args[3] = regs->r10;
		args[4] = regs->r8;
		args[5] = regs->r9;
	}
}

static __always_inline s64 kscap_arch_ret(long ret, unsigned int abi)
{
	return unlikely(abi == SCAP_ABI_I386) ? (s32)ret : ret;
}

static __always_inline u64 kscap_arch_cycles(void)
{
	return rdtsc_ordered();
}

/*
 * cycles * mult >> 32. In C the product is an __int128, whose alignment makes the compiler align
 * the stack in every function that reads the clock.
 */
static __always_inline u64 kscap_arch_scale(u64 cycles, u64 mult)
{
	u64 high;

	asm("mulq %[mult]\n\tshrdq $32, %[high], %[cycles]"
	    : [cycles] "+a" (cycles), [high] "=&d" (high)
	    : [mult] "rm" (mult)
	    : "cc");
	return cycles;
}

static inline u32 kscap_arch_cycles_khz(void)
{
	return tsc_khz;
}

/* May raw cycles be compared between CPUs? Necessary, not sufficient: see clock.c. */
static inline bool kscap_arch_cycles_usable(void)
{
	return tsc_khz && !check_tsc_unstable();
}

#endif
