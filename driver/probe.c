// SPDX-License-Identifier: GPL-2.0-only
#include "probe.h"

#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <asm/trace/exceptions.h>
#include <trace/events/cgroup.h>
#include <trace/events/module.h>
#include <trace/events/oom.h>
#include <trace/events/sched.h>
#include <trace/events/signal.h>
#include <trace/events/syscalls.h>
#include <trace/events/task.h>

#include "capture.h"
#include "clock.h"
#include "compat.h"
#include "events.h"
#include "stash.h"

static DEFINE_MUTEX(probes_lock);
static unsigned int n_users;
static unsigned int n_class_users[BITS_PER_TYPE(u32)];

/* The victim itself, or its number: the prototype changed within stable series. */
#define ON_OOM KSCAP_IF_MARK_VICTIM_TELLS_PID(kscap_on_oom_pid, kscap_on_oom)

/* Exits before entries: an exit without its entry would only look like a call begun before. */
static struct probe {
	const char *name;
	void *probe;
	u32 class;		/* 0: always */
	struct tracepoint *tp;
} probes[] = {
	{ "sched_process_free", kscap_on_free },
	{ "sched_process_exit", kscap_on_exit },
	{ "task_newtask", kscap_on_fork },
	{ "sched_process_exec", kscap_on_exec },
	{ "signal_generate", kscap_on_signal },
	{ "signal_deliver", kscap_on_sigdeliver },
	{ "mark_victim", ON_OOM },
	{ "module_load", kscap_on_module_load },
	{ "module_free", kscap_on_module_free },
	{ "cgroup_attach_task", kscap_on_cgroup },
	{ "cgroup_transfer_tasks", kscap_on_cgroup },
	{ "sys_enter", kscap_on_sys_enter },
	{ "sys_exit", kscap_on_sys_exit },
	{ "sched_switch", kscap_on_switch, SCAP_CLASS_SCHED },
	{ "sched_waking", kscap_on_waking, SCAP_CLASS_SCHED },
	{ "sched_wakeup_new", kscap_on_wakeup_new, SCAP_CLASS_SCHED },
	{ "page_fault_user", kscap_on_fault_user, SCAP_CLASS_FAULT },
	{ "page_fault_kernel", kscap_on_fault_kernel, SCAP_CLASS_FAULT },
};

/* A probe of another type than its tracepoint would read garbage: let the compiler compare. */
static void __maybe_unused check_types(void)
{
	check_trace_callback_type_sched_process_free(kscap_on_free);
	check_trace_callback_type_sched_process_exit(kscap_on_exit);
	check_trace_callback_type_task_newtask(kscap_on_fork);
	check_trace_callback_type_sched_process_exec(kscap_on_exec);
	check_trace_callback_type_signal_generate(kscap_on_signal);
	check_trace_callback_type_signal_deliver(kscap_on_sigdeliver);
	check_trace_callback_type_mark_victim(ON_OOM);
	check_trace_callback_type_module_load(kscap_on_module_load);
	check_trace_callback_type_module_free(kscap_on_module_free);
	check_trace_callback_type_cgroup_attach_task(kscap_on_cgroup);
	check_trace_callback_type_cgroup_transfer_tasks(kscap_on_cgroup);
	check_trace_callback_type_sys_enter(kscap_on_sys_enter);
	check_trace_callback_type_sys_exit(kscap_on_sys_exit);
	check_trace_callback_type_sched_switch(kscap_on_switch);
	check_trace_callback_type_sched_waking(kscap_on_waking);
	check_trace_callback_type_sched_wakeup_new(kscap_on_wakeup_new);
	check_trace_callback_type_page_fault_user(kscap_on_fault_user);
	check_trace_callback_type_page_fault_kernel(kscap_on_fault_kernel);
}

static void match(struct tracepoint *tp, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!strcmp(tp->name, probes[i].name))
			probes[i].tp = tp;
}

int __init kscap_probe_init(void)
{
	int i;

	for_each_kernel_tracepoint(match, NULL);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		if (!probes[i].tp) {
			pr_err("kscap: this kernel has no tracepoint %s\n", probes[i].name);
			return -ENOENT;
		}
	}
	return 0;
}

/* Those of the class among the first n. */
static void unregister(u32 class, int n)
{
	while (n-- > 0)
		if (probes[n].class == class)
			tracepoint_probe_unregister(probes[n].tp, probes[n].probe, NULL);
	tracepoint_synchronize_unregister();
}

static int register_class(u32 class)
{
	int i, rc;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		if (probes[i].class != class)
			continue;
		rc = tracepoint_probe_register(probes[i].tp, probes[i].probe, NULL);
		if (rc) {
			unregister(class, i);
			return rc;
		}
	}
	return 0;
}

static int attach(void)
{
	int rc;

	rc = kscap_stash_alloc();
	if (rc)
		return rc;
	rc = kscap_capture_alloc();
	if (rc)
		goto free_stash;
	kscap_clock_choose();
	rc = register_class(0);
	if (rc)
		goto free_capture;
	return 0;
free_capture:
	kscap_capture_free();
free_stash:
	kscap_stash_free();
	return rc;
}

int kscap_probe_get(void)
{
	int rc = 0;

	mutex_lock(&probes_lock);
	if (!n_users)
		rc = attach();
	if (!rc)
		n_users++;
	mutex_unlock(&probes_lock);
	return rc;
}

void kscap_probe_put(void)
{
	mutex_lock(&probes_lock);
	if (!--n_users) {
		unregister(0, ARRAY_SIZE(probes));
		kscap_capture_free();
		kscap_stash_free();
	}
	mutex_unlock(&probes_lock);
}

void kscap_class_put(u32 classes)
{
	u32 todo;

	mutex_lock(&probes_lock);
	for (todo = classes; todo; todo &= todo - 1)
		if (!--n_class_users[__ffs(todo)])
			unregister(todo & -todo, ARRAY_SIZE(probes));
	mutex_unlock(&probes_lock);
}

int kscap_class_get(u32 classes)
{
	u32 todo, held = 0;
	int rc = 0;

	mutex_lock(&probes_lock);
	for (todo = classes; todo; todo &= todo - 1) {
		if (!n_class_users[__ffs(todo)])
			rc = register_class(todo & -todo);
		if (rc)
			break;
		n_class_users[__ffs(todo)]++;
		held |= todo & -todo;
	}
	mutex_unlock(&probes_lock);
	if (rc)
		kscap_class_put(held);
	return rc;
}
