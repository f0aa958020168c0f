/* SPDX-License-Identifier: MIT */
/* What stands at the file's beginning: the machine, users, processes, descriptors. */
#include "savefile/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_FILE 0x0a0d0d0au
#define BLOCK_MACHINE 0x201u
#define BLOCK_PROCESSES 0x215u
#define BLOCK_FDS 0x218u
#define BLOCK_USERS 0x220u

#define THREAD_FLAGS 0x2001u	/* CLONE_THREAD, CLONE_FILES */

/* ---- bytes --------------------------------------------------------------------------------- */

static int reserve(struct scap_export *x, size_t n)
{
	if (scap__buffer_reserve(&x->block, n))
		return scap__export_fail(x, -ENOMEM, "out of memory");
	return 0;
}

/* Room was reserved for these. */
static void put_u8(struct scap_export *x, uint8_t v)
{
	scap__buffer_put(&x->block, &v, sizeof(v));
}

static void put_u16(struct scap_export *x, uint16_t v)
{
	v = htole16(v);
	scap__buffer_put(&x->block, &v, sizeof(v));
}

static void put_u32(struct scap_export *x, uint32_t v)
{
	v = htole32(v);
	scap__buffer_put(&x->block, &v, sizeof(v));
}

static void put_u64(struct scap_export *x, uint64_t v)
{
	v = htole64(v);
	scap__buffer_put(&x->block, &v, sizeof(v));
}

/* A length and as many bytes. */
static void put_string(struct scap_export *x, const void *s, size_t n)
{
	put_u16(x, (uint16_t)n);
	if (n)
		scap__buffer_put(&x->block, s, n);
}

static void put_text(struct scap_export *x, const struct scap__export_text *t)
{
	put_string(x, t->p, t->p ? t->n : 0);
}

/* ---- the machine --------------------------------------------------------------------------- */

static int write_file_header(struct scap_export *x)
{
	x->block.n = 0;
	if (reserve(x, 16))
		return x->failed;
	put_u32(x, 0x1a2b3c4d);
	put_u16(x, 1);
	put_u16(x, 2);
	put_u64(x, UINT64_MAX);
	return scap__export_block(x, BLOCK_FILE);
}

static int write_machine(struct scap_export *x)
{
	x->block.n = 0;
	if (reserve(x, 180))
		return x->failed;
	put_u32(x, x->n_cpus);
	put_u64(x, 0);		/* memory: not recorded */
	put_u64(x, 0);
	scap__buffer_put(&x->block, x->hostname, sizeof(x->hostname));
	for (unsigned i = 0; i < 4; i++)
		put_u64(x, 0);
	return scap__export_block(x, BLOCK_MACHINE);
}

static int write_users(struct scap_export *x)
{
	if (!x->users.n)
		return 0;
	x->block.n = 0;
	if (reserve(x, x->users.n))
		return x->failed;
	scap__buffer_put(&x->block, x->users.p, x->users.n);
	return scap__export_block(x, BLOCK_USERS);
}

/* ---- processes ----------------------------------------------------------------------------- */

/* A thread's are those of its process. */
static const struct scap__export_task *owner(const struct scap_export *x,
					     const struct scap__export_task *t)
{
	const struct scap__export_task *leader = scap__export_task(x, t->tgid);

	return leader && leader->args.p && !t->args.p ? leader : t;
}

static void put_args(struct scap_export *x, const struct scap__export_task *t)
{
	size_t n = t->args.p ? t->args.n : 0, first = n ? strnlen(t->args.p, n) : 0;
	size_t exe = first < SCAP__EXPORT_PATH_MAX ? first : SCAP__EXPORT_PATH_MAX;
	size_t rest = first < n ? first + 1 : n;

	put_string(x, t->args.p, exe);
	put_text(x, &t->exe_path);
	put_string(x, n ? t->args.p + rest : NULL, n - rest);
}

/* What stands behind the strings. Older readers only know loginuid and the byte behind it there. */
static void put_tail(struct scap_export *x, const struct scap__export_task *t)
{
	bool falco = x->profile == SCAP_EXPORT_FALCO;

	if (falco) {
		put_u64(x, 0);
		put_u32(x, scap__export_dev(t->tty));
	}
	put_u32(x, t->loginuid);
	put_u8(x, 0);
	put_u64(x, t->cap_inheritable);
	put_u64(x, t->cap_permitted);
	put_u64(x, t->cap_effective);
	if (!falco)
		return;
	put_u8(x, 0);
	put_u64(x, t->exe_ino);
	put_u64(x, 0);
	put_u64(x, 0);
	put_u8(x, 0);
	put_u8(x, 0);
	put_u64(x, t->pgrp);
}

static void put_numbers(struct scap_export *x, const struct scap__export_task *t)
{
	put_u64(x, 0);		/* limit of descriptors: not recorded */
	put_u32(x, t->tid == t->tgid ? 0 : THREAD_FLAGS);
	put_u32(x, t->uid);
	put_u32(x, t->gid);
	for (unsigned i = 0; i < 3; i++)
		put_u32(x, 0);	/* sizes */
	put_u64(x, 0);		/* faults */
	put_u64(x, 0);
}

/* Every string is at most SCAP__EXPORT_ARGS_MAX, or PATH_MAX with a prefix. */
#define ENTRY_ROOM (256u + 2 * SCAP__EXPORT_ARGS_MAX + 5 * 1200u)

static int put_task(struct scap_export *x, const struct scap__export_task *t)
{
	const struct scap__export_task *of = owner(x, t);
	size_t at = x->block.n;
	uint32_t bytes;

	if (reserve(x, ENTRY_ROOM))
		return x->failed;
	put_u32(x, 0);
	put_u64(x, t->tid);
	put_u64(x, t->tgid);
	put_u64(x, t->ppid);
	put_u64(x, of->session);
	put_u64(x, of->pgrp);
	put_string(x, t->comm, strlen(t->comm));
	put_args(x, of);
	put_text(x, &of->cwd);
	put_numbers(x, t);
	put_string(x, NULL, 0);	/* environment */
	put_u64(x, t->vtid);
	put_u64(x, t->vtgid);
	put_text(x, &t->cgroup);
	put_text(x, &of->root);
	put_tail(x, of);
	bytes = htole32((uint32_t)(x->block.n - at));
	memcpy(x->block.p + at, &bytes, sizeof(bytes));
	return 0;
}

static int name_cgroup(struct scap_export *x, struct scap__export_task *t)
{
	const struct scap__export_text *path;
	int rc;

	path = t->cgroup_id ? scap__map_get(&x->cgroups, t->cgroup_id) : NULL;
	rc = path ? scap__export_set_cgroup(x, t, path->p, path->n) : 0;
	return rc == -ENOMEM ? scap__export_fail(x, rc, "out of memory") : 0;
}

static int by_leader(const void *a, const void *b)
{
	const struct scap__export_task *s = *(struct scap__export_task *const *)a;
	const struct scap__export_task *t = *(struct scap__export_task *const *)b;
	bool s_leads = s->tid == s->tgid, t_leads = t->tid == t->tgid;

	if (s_leads != t_leads)
		return s_leads ? -1 : 1;
	return s->tid < t->tid ? -1 : s->tid > t->tid;
}

/* Memory is bounded: several blocks, where there are many. */
#define PROCESSES_MAX (1u << 20)

static int write_processes(struct scap_export *x)
{
	if (x->n_tasks)
		qsort(x->task_list, x->n_tasks, sizeof(*x->task_list), by_leader);
	x->block.n = 0;
	for (uint32_t i = 0; i < x->n_tasks; i++) {
		struct scap__export_task *t = x->task_list[i];

		if (!t->listed)
			continue;
		if (name_cgroup(x, t) || put_task(x, t))
			return x->failed;
		if (x->block.n < PROCESSES_MAX)
			continue;
		if (scap__export_block(x, BLOCK_PROCESSES))
			return x->failed;
		x->block.n = 0;
	}
	return x->block.n ? scap__export_block(x, BLOCK_PROCESSES) : x->failed;
}

/* ---- descriptors --------------------------------------------------------------------------- */

enum {
	FD_UNKNOWN = 0, FD_DIRECTORY = 2, FD_IPV4 = 3, FD_IPV6 = 4, FD_IPV4_SERVER = 5,
	FD_IPV6_SERVER = 6, FD_FIFO = 7, FD_UNIX = 8, FD_EVENT = 9, FD_OTHER = 10,
	FD_SIGNAL = 11, FD_EVENTPOLL = 12, FD_INOTIFY = 13, FD_TIMER = 14, FD_NETLINK = 15,
	FD_FILE = 16, FD_MEMFD = 20,
};

static const uint8_t fd_types[SCAP_KINDS] = {
	[SCAP_KIND_FILE] = FD_FILE, [SCAP_KIND_DIR] = FD_DIRECTORY, [SCAP_KIND_CHAR] = FD_FILE,
	[SCAP_KIND_BLOCK] = FD_FILE, [SCAP_KIND_LINK] = FD_FILE, [SCAP_KIND_FIFO] = FD_FIFO,
	[SCAP_KIND_INET] = FD_IPV4, [SCAP_KIND_INET6] = FD_IPV6, [SCAP_KIND_UNIX] = FD_UNIX,
	[SCAP_KIND_NETLINK] = FD_NETLINK, [SCAP_KIND_PACKET] = FD_OTHER,
	[SCAP_KIND_SOCKET] = FD_OTHER, [SCAP_KIND_EVENTPOLL] = FD_EVENTPOLL,
	[SCAP_KIND_EVENTFD] = FD_EVENT, [SCAP_KIND_SIGNALFD] = FD_SIGNAL,
	[SCAP_KIND_TIMERFD] = FD_TIMER, [SCAP_KIND_INOTIFY] = FD_INOTIFY,
	[SCAP_KIND_MEMFD] = FD_MEMFD, [SCAP_KIND_ANON] = FD_OTHER, [SCAP_KIND_VSOCK] = FD_OTHER,
};

static bool has_remote(const struct scap_sock *s)
{
	static const uint8_t none[16];

	return s->remote_port || memcmp(s->remote_addr, none, sizeof(none));
}

/* sysdig 0.29 refuses a file with a type that it does not know. */
static uint8_t fd_type(const struct scap_export *x, const struct scap__file *f)
{
	uint8_t type = f->kind < SCAP_KINDS ? fd_types[f->kind] : FD_UNKNOWN;

	if (type == FD_MEMFD && x->profile == SCAP_EXPORT_SYSDIG)
		return FD_FILE;
	if ((type == FD_IPV4 || type == FD_IPV6) && !has_remote(&f->sock))
		return type + 2;
	return type;
}

static uint8_t l4_protocol(const struct scap_sock *s)
{
	if (s->protocol == 1 || s->protocol == 58)
		return 4;	/* ICMP */
	return s->type == 1 ? 2 : s->type == 2 ? 3 : s->type == 3 ? 5 : 0;
}

static void put_inet(struct scap_export *x, const struct scap_sock *s, unsigned n, bool server)
{
	scap__buffer_put(&x->block, s->local_addr, n);
	if (!server)
		scap__buffer_put(&x->block, s->remote_addr, n);
	put_u16(x, s->local_port);
	if (!server)
		put_u16(x, s->remote_port);
	put_u8(x, l4_protocol(s));
}

static void put_unix(struct scap_export *x, const struct scap__file *f)
{
	const uint8_t *name = f->sun_local ? f->sun_local : f->sun_remote;
	size_t n = f->sun_local ? f->sock.local_len : f->sun_remote ? f->sock.remote_len : 0;

	if (n && !name[0]) {
		name++;
		n--;
	}
	put_u64(x, f->ino);
	put_u64(x, f->sock.peer_ino);
	put_string(x, name, n < SCAP__EXPORT_PATH_MAX ? n : SCAP__EXPORT_PATH_MAX);
}

static void put_fd_body(struct scap_export *x, const struct scap__export_fd *fd, uint8_t type)
{
	const struct scap__file *f = &fd->file;
	size_t n = f->path ? f->path_bytes : 0;

	if (n > SCAP__EXPORT_PATH_MAX)
		n = SCAP__EXPORT_PATH_MAX;
	switch (type) {
	case FD_IPV4: put_inet(x, &f->sock, 4, false); return;
	case FD_IPV6: put_inet(x, &f->sock, 16, false); return;
	case FD_IPV4_SERVER: put_inet(x, &f->sock, 4, true); return;
	case FD_IPV6_SERVER: put_inet(x, &f->sock, 16, true); return;
	case FD_UNIX: put_unix(x, f); return;
	case FD_FILE: put_u32(x, scap__export_open_flags(fd->open_flags)); break;
	}
	put_string(x, f->path, n);
	if (type == FD_FILE)
		put_u32(x, scap__export_dev(f->dev));
}

static int put_fd(struct scap_export *x, const struct scap__export_fd *fd)
{
	uint8_t type = fd_type(x, &fd->file);
	size_t at = x->block.n;
	uint32_t bytes;

	if (type == FD_UNKNOWN)
		return 0;
	if (reserve(x, 128 + SCAP__EXPORT_PATH_MAX))
		return x->failed;
	put_u32(x, 0);
	put_u64(x, (uint32_t)fd->key - 1);
	put_u64(x, fd->file.ino);
	put_u8(x, type);
	put_fd_body(x, fd, type);
	bytes = htole32((uint32_t)(x->block.n - at));
	memcpy(x->block.p + at, &bytes, sizeof(bytes));
	x->counts.n_fds++;
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct scap__export_fd *s = *(struct scap__export_fd *const *)a;
	const struct scap__export_fd *t = *(struct scap__export_fd *const *)b;

	return s->key < t->key ? -1 : s->key > t->key;
}

/* A block for each process. That process must have been listed. */
static int write_fd_blocks(struct scap_export *x, struct scap__export_fd **fds)
{
	for (uint32_t i = 0; i < x->n_fds;) {
		uint32_t tgid = (uint32_t)(fds[i]->key >> 32);
		const struct scap__export_task *t = scap__export_task(x, tgid);
		bool told = t && t->listed;

		x->block.n = 0;
		if (reserve(x, 8))
			return x->failed;
		put_u64(x, tgid);
		for (; i < x->n_fds && fds[i]->key >> 32 == tgid; i++)
			if (told && put_fd(x, fds[i]))
				return x->failed;
		if (told && scap__export_block(x, BLOCK_FDS))
			return x->failed;
	}
	return 0;
}

static int write_fds(struct scap_export *x)
{
	struct scap__export_fd **fds, *fd = x->fd_list;
	int rc;

	if (!x->n_fds)
		return 0;
	fds = calloc(x->n_fds, sizeof(struct scap__export_fd *));
	if (!fds)
		return scap__export_fail(x, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < x->n_fds && fd; i++, fd = fd->next)
		fds[i] = fd;
	qsort(fds, x->n_fds, sizeof(*fds), by_key);
	rc = write_fd_blocks(x, fds);
	free(fds);
	return rc;
}

int scap__export_begin(struct scap_export *x)
{
	if (x->begun)
		return x->failed;
	x->begun = true;
	if (write_file_header(x) || write_machine(x) || write_users(x) || write_processes(x) ||
	    write_fds(x))
		return x->failed;
	return 0;
}
