/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probes of all events that are no system calls. fork, exec, exit and cgroup run in tasks and
 * use the scratch memory; the others may come in interrupts, under locks, inside another probe.
 * None of them may wake anybody but through irq_work.
 */
#ifndef KSCAP_EVENTS_H
#define KSCAP_EVENTS_H

#include <linux/types.h>

struct cgroup;
struct k_sigaction;
struct kernel_siginfo;
struct linux_binprm;
struct module;
struct pt_regs;
struct task_struct;

void kscap_on_fork(void *data, struct task_struct *child, unsigned long clone_flags);
void kscap_on_exec(void *data, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm);
void kscap_on_exit(void *data, struct task_struct *task);
void kscap_on_free(void *data, struct task_struct *task);
void kscap_on_signal(void *data, int sig, struct kernel_siginfo *info, struct task_struct *task,
		     int group, int result);
void kscap_on_sigdeliver(void *data, int sig, struct kernel_siginfo *info, struct k_sigaction *ka);
/* Two forms of one tracepoint: the kernel's headers tell which one it is. */
void kscap_on_oom(void *data, struct task_struct *victim, uid_t uid);
void kscap_on_oom_pid(void *data, int pid);
void kscap_on_module_load(void *data, struct module *mod);
void kscap_on_module_free(void *data, struct module *mod);
void kscap_on_cgroup(void *data, struct cgroup *cgroup, const char *path, struct task_struct *task,
		     bool whole_process);
/* SCAP_CLASS_SCHED */
void kscap_on_switch(void *data, bool preempt, struct task_struct *prev, struct task_struct *next,
		     unsigned int prev_state);
void kscap_on_waking(void *data, struct task_struct *task);
void kscap_on_wakeup_new(void *data, struct task_struct *task);
/* SCAP_CLASS_FAULT */
void kscap_on_fault_user(void *data, unsigned long address, struct pt_regs *regs,
			 unsigned long error);
void kscap_on_fault_kernel(void *data, unsigned long address, struct pt_regs *regs,
			   unsigned long error);

#endif
