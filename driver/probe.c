// SPDX-License-Identifier: GPL-2.0-only
#include "probe.h"

#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <trace/events/sched.h>
#include <trace/events/syscalls.h>

#include "capture.h"
#include "clock.h"
#include "events.h"
#include "stash.h"

static DEFINE_MUTEX(probes_lock);
static unsigned int n_users;

/* Exits before entries: an exit without its entry would only look like a call begun before. */
static struct {
	const char *name;
	void *probe;
	struct tracepoint *tp;
} probes[] = {
	{ "sched_process_exit", kscap_on_exit },
	{ "sched_process_fork", kscap_on_fork },
	{ "sched_process_exec", kscap_on_exec },
	{ "sys_enter", kscap_on_sys_enter },
	{ "sys_exit", kscap_on_sys_exit },
};

/* A probe of another type than its tracepoint would read garbage: let the compiler compare. */
static void __maybe_unused check_types(void)
{
	check_trace_callback_type_sched_process_exit(kscap_on_exit);
	check_trace_callback_type_sched_process_fork(kscap_on_fork);
	check_trace_callback_type_sched_process_exec(kscap_on_exec);
	check_trace_callback_type_sys_enter(kscap_on_sys_enter);
	check_trace_callback_type_sys_exit(kscap_on_sys_exit);
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

static void unregister(int n)
{
	while (n-- > 0)
		tracepoint_probe_unregister(probes[n].tp, probes[n].probe, NULL);
	tracepoint_synchronize_unregister();
}

static int attach(void)
{
	int i, rc;

	rc = kscap_stash_alloc();
	if (rc)
		return rc;
	rc = kscap_capture_alloc();
	if (rc)
		goto free_stash;
	kscap_clock_choose();
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		rc = tracepoint_probe_register(probes[i].tp, probes[i].probe, NULL);
		if (rc)
			goto unregister;
	}
	return 0;
unregister:
	unregister(i);
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
		unregister(ARRAY_SIZE(probes));
		kscap_capture_free();
		kscap_stash_free();
	}
	mutex_unlock(&probes_lock);
}
