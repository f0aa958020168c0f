/* SPDX-License-Identifier: GPL-2.0-only */
/* The probes of all events that are no system calls. */
#ifndef KSCAP_EVENTS_H
#define KSCAP_EVENTS_H

#include <linux/types.h>

struct linux_binprm;
struct task_struct;

void kscap_on_fork(void *data, struct task_struct *parent, struct task_struct *child);
void kscap_on_exec(void *data, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm);
void kscap_on_exit(void *data, struct task_struct *task);

#endif
