/* SPDX-License-Identifier: MIT */
/* The lists in front of the events: machine, processes, descriptors, users. */
#include <stdio.h>
#include <string.h>

#include "savefile/sock.h"
#include "savefile/translator.h"

#define MACHINE_BYTES	180
#define NAMES_MAX_BYTES	(4u << 20)	/* of users, and of groups */

bool scap__sf_machine(struct scap__savefile *sf, struct scap__bytes b)
{
	const uint8_t *name;

	if (b.n < MACHINE_BYTES)
		return false;
	sf->n_cpus = scap__get_u32(&b);
	scap__take(&b, 16);
	name = scap__take(&b, 128);
	memcpy(sf->hostname, name, 128);
	sf->boot_ns = scap__get_u64(&b);
	return true;
}

static struct scap__sf_text get_text(struct scap__bytes *b)
{
	uint16_t n = scap__get_u16(b);
	const uint8_t *p = scap__take(b, n);

	return (struct scap__sf_text){ (char *)p, p ? n : 0 };
}

/* ---- processes ------------------------------------------------------------------------------- */

/* Blocks' versions, by what came to the entries with each. */
static unsigned process_version(uint32_t block)
{
	static const uint32_t blocks[] = { 0x202, 0x207, 0x209, 0x210, 0x211, 0x212, 0x213, 0x214,
					   0x215 };

	for (unsigned i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (blocks[i] == block)
			return i + 1;
	return block == 0x8013abcd ? 2 : block == 0x8014abcd ? 3 : 1;
}

struct process {
	uint64_t tid, pid, ptid, sid, vtid, vpid, pgid;
	struct scap__sf_text comm, exe, exepath, args, cwd, env, cgroups, root;
	uint32_t flags, uid, gid, tty, loginuid;
	uint64_t cap_i, cap_p, cap_e, exe_ino;
};

static void get_process(struct scap__bytes *b, unsigned version, struct process *p)
{
	p->tid = p->vtid = scap__get_u64(b);
	p->pid = p->vpid = scap__get_u64(b);
	p->ptid = scap__get_u64(b);
	if (version >= 6)
		p->sid = scap__get_u64(b);
	if (version >= 8)
		scap__get_u64(b);
	p->comm = get_text(b);
	p->exe = get_text(b);
	if (version >= 7)
		p->exepath = get_text(b);
	p->args = get_text(b);
	p->cwd = get_text(b);
	scap__get_u64(b);
	p->flags = scap__get_u32(b);
	p->uid = scap__get_u32(b);
	p->gid = scap__get_u32(b);
	if (version >= 2)
		scap__take(b, 3 * 4 + 2 * 8);
	if (version >= 3)
		p->env = get_text(b);
	if (version >= 4) {
		p->vtid = scap__get_u64(b);
		p->vpid = scap__get_u64(b);
		p->cgroups = get_text(b);
	}
	if (version >= 5)
		p->root = get_text(b);
}

/* What the last version has behind that: in its old form, or in its new, longer one. */
static void get_process_tail(struct scap__bytes *b, struct process *p)
{
	bool old = b->n <= 29;

	if (!old) {
		scap__get_u64(b);
		p->tty = scap__get_u32(b);
	}
	if (b->n >= 4)
		p->loginuid = scap__get_u32(b);
	if (b->n < 25)
		return;
	scap__get_u8(b);
	p->cap_i = scap__get_u64(b);
	p->cap_p = scap__get_u64(b);
	p->cap_e = scap__get_u64(b);
	if (b->n < 1 + 3 * 8 + 2 + 8)
		return;
	scap__get_u8(b);
	p->exe_ino = scap__get_u64(b);
	scap__take(b, 2 * 8 + 2);
	p->pgid = scap__get_u64(b);
}

static void set_process(struct scap__savefile *sf, const struct process *p)
{
	struct scap__sf_state *s = &sf->state;
	struct scap__sf_thread *t = scap__sf_thread_make(s, p->tid), *leader;

	if (!t) {
		sf->n_nameless++;
		return;
	}
	t->known = true;
	t->pid = (uint32_t)p->pid;
	t->ppid = (uint32_t)p->ptid;
	t->vtid = (uint32_t)p->vtid;
	t->vpid = (uint32_t)p->vpid;
	t->uid = p->uid;
	t->gid = p->gid;
	t->sid = (uint32_t)p->sid;
	t->pgid = (uint32_t)p->pgid;
	t->tty = p->tty;
	t->loginuid = p->loginuid;
	t->cap_i = p->cap_i;
	t->cap_p = p->cap_p;
	t->cap_e = p->cap_e;
	scap__sf_set_comm(t, p->comm.n ? p->comm.p : "", p->comm.n);
	scap__sf_set_cwd(s, t, p->cwd.p, p->cwd.n);
	scap__sf_text_set(s->budget, &t->root, p->root.p, p->root.n);
	scap__sf_set_argv(s, t, &p->exe, &p->args);
	scap__sf_set_cgroup(s, t, p->cgroups.p, p->cgroups.n);
	scap__sf_set_exe(s, t, p->exepath.p, p->exepath.n, p->exe_ino);
	leader = p->pid == p->tid ? NULL : scap__sf_thread_get(s, p->pid);
	if (leader) {
		scap__sf_join_group(s, t, leader);
		scap__sf_fds_share(s, t, leader);
	}
}

size_t scap__sf_process(struct scap__savefile *sf, struct scap__bytes b, uint32_t block)
{
	unsigned version = process_version(block);
	struct process p = { .loginuid = UINT32_MAX };
	size_t all = b.n, n = 0;

	if (version >= 9) {
		n = scap__get_u32(&b);
		if (n < 4 || n > all)
			return 0;
		b.n = n - 4;
	}
	get_process(&b, version, &p);
	if (b.bad)
		return 0;
	if (version >= 9)
		get_process_tail(&b, &p);
	else
		n = all - b.n;
	set_process(sf, &p);
	return n;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

enum { FD_UNKNOWN, FD_OLD_FILE, FD_DIR, FD_IPV4, FD_IPV6, FD_IPV4_SERVER, FD_IPV6_SERVER, FD_FIFO,
       FD_UNIX, FD_EVENT, FD_OTHER, FD_SIGNAL, FD_EPOLL, FD_INOTIFY, FD_TIMER, FD_NETLINK,
       FD_FILE, FD_BPF, FD_USERFAULT, FD_IO_URING, FD_MEM, FD_PID, FD_TYPES };

/* Of those that have nothing but a name. */
static const uint16_t named_kinds[FD_TYPES] = {
	[FD_OLD_FILE] = SCAP_KIND_FILE, [FD_DIR] = SCAP_KIND_DIR, [FD_FIFO] = SCAP_KIND_FIFO,
	[FD_EVENT] = SCAP_KIND_EVENTFD, [FD_OTHER] = SCAP_KIND_UNKNOWN,
	[FD_SIGNAL] = SCAP_KIND_SIGNALFD, [FD_EPOLL] = SCAP_KIND_EVENTPOLL,
	[FD_INOTIFY] = SCAP_KIND_INOTIFY, [FD_TIMER] = SCAP_KIND_TIMERFD,
	[FD_NETLINK] = SCAP_KIND_NETLINK, [FD_BPF] = SCAP_KIND_ANON,
	[FD_USERFAULT] = SCAP_KIND_ANON, [FD_IO_URING] = SCAP_KIND_ANON,
	[FD_MEM] = SCAP_KIND_MEMFD, [FD_PID] = SCAP_KIND_ANON,
};

/* Of the kernel's form, which files have, to major << 20 | minor. */
uint32_t scap__sf_dev(uint32_t dev)
{
	uint32_t major = dev >> 8 & 0xfff, minor = (dev & 0xff) | (dev >> 12 & 0xfff00);

	return major << 20 | minor;
}

static struct scap__sf_file *get_file(struct scap__savefile *sf, struct scap__bytes *b, bool sized)
{
	uint32_t flags = scap__get_u32(b);
	struct scap__sf_text name = get_text(b);
	struct scap__sf_file *f = scap__sf_file_new(&sf->state, SCAP_KIND_FILE, name.p, name.n);
	uint32_t dev = sized && b->n >= 4 ? scap__get_u32(b) : 0;

	if (f) {
		f->open_flags = scap__sf_open_flags(flags);
		f->dev = scap__sf_dev(dev);
	}
	return f;
}

static struct scap__sf_file *get_inet(struct scap__savefile *sf, struct scap__bytes *b, bool v6,
				      bool server)
{
	unsigned n = v6 ? 16 : 4;
	const uint8_t *local = scap__take(b, n);
	const uint8_t *remote = server ? NULL : scap__take(b, n);
	uint16_t local_port = scap__get_u16(b), remote_port = server ? 0 : scap__get_u16(b);
	uint8_t l4 = scap__get_u8(b);
	struct scap__sf_file *f;

	if (b->bad)
		return NULL;
	f = scap__sf_socket_new(&sf->state, v6 ? SCAP__SF_INET6 : SCAP__SF_INET, l4);
	if (!f)
		return NULL;
	memcpy(f->sock.local_addr, local, n);
	f->sock.local_port = local_port;
	if (server)
		f->sock.state = l4 == SCAP__SF_L4_TCP ? SCAP__SF_LISTEN : 0;
	if (remote)
		memcpy(f->sock.remote_addr, remote, n);
	f->sock.remote_port = remote_port;
	return f;
}

static struct scap__sf_file *get_unix(struct scap__savefile *sf, struct scap__bytes *b)
{
	struct scap__sf_file *f = scap__sf_socket_new(&sf->state, SCAP__SF_UNIX, 0);
	struct scap__sf_text path;

	scap__take(b, 2 * 8);
	path = get_text(b);
	if (f && path.n)
		scap__sf_file_set_unix(&sf->state, f, path.p, path.n, NULL, 0);
	return f;
}

static struct scap__sf_file *get_named(struct scap__savefile *sf, struct scap__bytes *b,
				       unsigned type)
{
	struct scap__sf_text name = get_text(b);

	if (type == FD_NETLINK)
		return scap__sf_socket_new(&sf->state, SCAP__SF_NETLINK, 0);
	return scap__sf_file_new(&sf->state, type < FD_TYPES ? named_kinds[type] : 0, name.p,
				 name.n);
}

static struct scap__sf_file *get_descriptor(struct scap__savefile *sf, struct scap__bytes *b,
					    unsigned type, bool sized)
{
	switch (type) {
	case FD_UNKNOWN:
		return NULL;
	case FD_IPV4:
	case FD_IPV4_SERVER:
		return get_inet(sf, b, false, type == FD_IPV4_SERVER);
	case FD_IPV6:
	case FD_IPV6_SERVER:
		return get_inet(sf, b, true, type == FD_IPV6_SERVER);
	case FD_UNIX:
		return get_unix(sf, b);
	case FD_FILE:
		return get_file(sf, b, sized);
	}
	return type < FD_TYPES || !sized ? get_named(sf, b, type) : NULL;
}

size_t scap__sf_descriptor(struct scap__savefile *sf, struct scap__bytes b, uint32_t block,
			   uint64_t tid)
{
	bool sized = block == 0x218;
	size_t all = b.n, n = 0;
	struct scap__sf_file *f;
	uint64_t ino;
	int64_t fd;

	if (sized) {
		n = scap__get_u32(&b);
		if (n < 4 || n > all)
			return 0;
		b.n = n - 4;
	}
	fd = (int64_t)scap__get_u64(&b);
	ino = scap__get_u64(&b);
	f = get_descriptor(sf, &b, scap__get_u8(&b), sized);
	if (f && f->kind != SCAP_KIND_UNKNOWN)
		f->ino = ino;
	if (f && !b.bad)
		scap__sf_fd_set(&sf->state, scap__sf_thread_make(&sf->state, tid), fd, f);
	else
		scap__sf_file_put(&sf->state, f);
	return b.bad ? 0 : sized ? n : all - b.n;
}

/* ---- users and groups ------------------------------------------------------------------------ */

static void add_name(struct scap__savefile *sf, struct scap__sf_bytes *to, uint32_t id,
		     const struct scap__sf_text *name)
{
	char number[16];
	int n = snprintf(number, sizeof(number), "%u ", id);

	if (!name->n || memchr(name->p, '\n', name->n) || to->n > NAMES_MAX_BYTES ||
	    scap__sf_bytes_reserve(to, sf->budget, (size_t)n + name->n + 1))
		return;
	scap__sf_bytes_put(to, number, (size_t)n);
	scap__sf_bytes_put(to, name->p, name->n);
	scap__sf_bytes_put(to, "\n", 1);
}

size_t scap__sf_user(struct scap__savefile *sf, struct scap__bytes b, uint32_t block)
{
	bool sized = block == 0x220, group;
	size_t all = b.n, n = 0;
	struct scap__sf_text name;
	uint32_t id;

	if (sized) {
		n = scap__get_u32(&b);
		if (n < 4 || n > all)
			return 0;
		b.n = n - 4;
	}
	group = scap__get_u8(&b);
	id = scap__get_u32(&b);
	if (!group)
		scap__get_u32(&b);
	name = get_text(&b);
	if (!group) {
		get_text(&b);
		get_text(&b);
	}
	if (b.bad)
		return 0;
	add_name(sf, group ? &sf->groups : &sf->users, id, &name);
	return sized ? n : all - b.n;
}
