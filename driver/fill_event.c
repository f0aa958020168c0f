// SPDX-License-Identifier: GPL-2.0-only
/* What signals and the OOM killer say of themselves. */
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>

#include "fill.h"

/* Which member of the information means something, by number and code. */
static u8 kind_of_value(int sig, int code)
{
	if (code == SI_QUEUE || code == SI_TIMER || code == SI_MESGQ || code == SI_ASYNCIO)
		return SCAP_SIGVAL_VALUE;
	if (code <= 0 || code == SI_KERNEL)
		return SCAP_SIGVAL_NONE;
	switch (sig) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
	case SIGSYS:
		return SCAP_SIGVAL_ADDR;
	case SIGCHLD:
		return SCAP_SIGVAL_STATUS;
	case SIGPOLL:
		return SCAP_SIGVAL_BAND;
	default:
		return SCAP_SIGVAL_NONE;
	}
}

static u64 value_of(const struct kernel_siginfo *info, u8 kind)
{
	switch (kind) {
	case SCAP_SIGVAL_VALUE:
		return (unsigned long)info->si_ptr;
	case SCAP_SIGVAL_ADDR:
		/* SIGSYS has the call's address in the same place. */
		return (unsigned long)info->si_addr;
	case SCAP_SIGVAL_STATUS:
		return (s64)info->si_status;
	case SCAP_SIGVAL_BAND:
		return info->si_band;
	default:
		return 0;
	}
}

/* Two small numbers stand for "a program sent it" and "the kernel did". */
void kscap_signal_info(int sig, const struct kernel_siginfo *info, s32 *ret_code, u64 *ret_value,
		       u8 *ret_kind)
{
	if (info <= SEND_SIG_PRIV) {
		*ret_code = info == SEND_SIG_PRIV ? SI_KERNEL : SI_USER;
		*ret_kind = SCAP_SIGVAL_NONE;
		*ret_value = 0;
		return;
	}
	*ret_code = info->si_code;
	*ret_kind = kind_of_value(sig, info->si_code);
	*ret_value = value_of(info, *ret_kind);
}

static u64 counter_kib(struct mm_struct *mm, int member)
{
	return (u64)get_mm_counter(mm, member) << (PAGE_SHIFT - 10);
}

/* Who marks a victim holds its memory: the kernel's own tracepoint looks at it without a lock. */
void kscap_oom_fill(struct scap_rec_oom *rec, const struct task_struct *victim)
{
	struct mm_struct *mm = victim->mm;

	rec->victim_tid = victim->pid;
	rec->victim_tgid = victim->tgid;
	rec->victim_start_ns = victim->start_boottime;
	rec->uid = __kuid_val(task_uid(victim));
	rec->score_adj = victim->signal->oom_score_adj;
	memcpy(rec->comm, victim->comm, sizeof(rec->comm));
	rec->comm[sizeof(rec->comm) - 1] = 0;
	if (!mm)
		return;
	rec->vm_kib = (u64)mm->total_vm << (PAGE_SHIFT - 10);
	rec->anon_kib = counter_kib(mm, MM_ANONPAGES);
	rec->file_kib = counter_kib(mm, MM_FILEPAGES);
	rec->shmem_kib = counter_kib(mm, MM_SHMEMPAGES);
}
