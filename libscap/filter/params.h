/* SPDX-License-Identifier: MIT */
/* How lists of parameters are put together, for the files that make them. */
#ifndef SCAP_FILTER_PARAMS_H
#define SCAP_FILTER_PARAMS_H

#include "filter/value.h"

static inline struct scap__param *scap__add(struct scap__param *p, unsigned *n, const char *name,
					    enum scap__param_kind kind)
{
	struct scap__param *new = &p[(*n)++];

	new->name = name;
	new->kind = (uint8_t)kind;
	new->detail = false;
	return new;
}

static inline struct scap__param *scap__add_number(struct scap__param *p, unsigned *n,
						   const char *name, uint64_t value)
{
	struct scap__param *new = scap__add(p, n, name, SCAP__PARAM_NUMBER);

	new->value = value;
	return new;
}

static inline void scap__add_slot(const struct scap_event *ev, struct scap__param *p, unsigned *n,
				  const char *name, enum scap__param_kind kind, unsigned slot)
{
	if (scap__event_blob(ev, slot))
		scap__add(p, n, name, kind)->arg = (uint8_t)slot;
}

/* Whether the file that was found has another path than the one asked for in `slot`. */
static inline bool scap__resolved_differs(const struct scap_event *ev, unsigned slot)
{
	const struct scap__blob *b = scap__event_blob(ev, slot);
	const struct scap__file *f = ev->file;

	return b && f && f->path &&
	       (b->bytes != f->path_bytes || memcmp(b->data, f->path, b->bytes));
}

/* Names of parameters that scap__event_params() gives, beside those of calls. */
#define SCAP__EVENT_PARAMS \
	"child_tid", "child_pid", "child_vtid", "kind", "flags", "exit_signal", \
	"child_ids", "cap_permitted", "cap_effective", "cap_inheritable", \
	"cap_bounding", "cap_ambient", "loginuid", "sessionid", "ns_mnt", "ns_net", \
	"ns_user", "ns_uts", "ns_ipc", "ns_cgroup", "ns_pid", "ns_pid_for_children", \
	"ns_time", "ns_time_for_children", "exe_mode", "exe_uid", "exe_gid", \
	"exe_size", "exe_ctime_ns", "exe_mtime_ns", "sid", "pgid", "tty", "cgroup", \
	"cgroup_id", "filename", "interp", "exe", "argv", "old_tid", "argc", "envc", \
	"env", "status", "last_thread", "process_status", "max_rss_kib", "inexact", "code", "sig", \
	"target_tid", "target_pid", "result", "whole_process", "action", "handler", \
	"sa_flags", "victim", "victim_uid", "vm_kib", "anon_kib", "file_kib", \
	"shmem_kib", "score_adj", "module", "taints", "hierarchy", "next_tid", \
	"next_pid", "state", "preempted", "new", "addr", "ip", "error", "kernel", \
	"interrupt", "late_ns", "uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", \
	"fsgid", "old_uid", "old_euid", "old_suid", "old_fsuid", "old_gid", "old_egid", \
	"old_sgid", "old_fsgid", "utime_ns", "stime_ns", "minflt", "majflt", \
	"voluntary", "involuntary", "process_utime_ns", "process_stime_ns", \
	"process_minflt", "process_majflt", "process_voluntary", "process_involuntary", \
	"value", "child_status", "band"

/* value_event.c: of everything but calls. */
unsigned scap__event_params(const struct scap_event *ev, struct scap__param *p);

#endif
