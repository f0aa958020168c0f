// SPDX-License-Identifier: GPL-2.0-only
/*
 * The probes of system calls, and the fast way of a call: one consumer, which takes whatever its
 * bitmap and its process trees let through; a call whose entry is known, in the main lane; its
 * thread and file introduced, and no gap due. Everything else goes the general way (call.c), which
 * begins anew.
 *
 * The record is written straight behind the position of the consumer's ring, in memory that nobody
 * was told of, and when it is complete one compare-exchange takes the space. The position is read
 * before the clock, and the exchange fails if it has moved since. Nobody else writes there
 * meanwhile: interrupts that come into a probe leave the main lane alone.
 *
 * What was introduced is remembered in two places. The ring's caches (intro.h) say it of every
 * thread and file by a hash of all that an introduction shows. The stash slot of a thread and the
 * CPU's table of open files say it again, for this one ring and epoch (a token names both), beside
 * the pointers from which the hash was made: so it need not be made for each call. Of a thread only
 * name and cgroup can be changed by others; what it changes itself are calls of decisive.def, after
 * which the hash is made again.
 */
#include "capture.h"

#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs_struct.h>
#include <linux/sched.h>

#include "clock.h"
#include "consumer.h"
#include "emit.h"
#include "encode.h"
#include "path.h"
#include "ref.h"
#include "ring.h"
#include "stash.h"

/* ---- entry --------------------------------------------------------------------------------- */

/* A task's first call, an odd number, a clock that is a call, or something to record at once. */
static noinline void enter_slow(struct pt_regs *regs, int nr)
{
	unsigned int abi = kscap_arch_abi(nr);
	const struct kscap_row *row = kscap_row(abi, nr);
	u8 entry = READ_ONCE(kscap_nr_entry[row - kscap_nr_row]);
	struct kscap_stash_slot *slot;
	struct kscap_scratch *s;

	/* Filters by number let x32 pass, whose rows are those of x86-64. */
	if (entry == KSCAP_ENTRY_SKIP && abi != SCAP_ABI_X32)
		return;
	slot = kscap_stash_claim(current);
	if (slot) {
		if (slot->skip)
			return;
		kscap_stash_enter(slot, kscap_now(), (u32)nr < KSCAP_NR_ROWS ?
				  (unsigned long)row : KSCAP_CALL(nr, abi));
	}
	if (entry != KSCAP_ENTRY_SPECIAL || !kscap_scratch_take(&s))
		return;
	kscap_call_entry(s, regs, nr);
	kscap_scratch_give(s);
}

/*
 * The slot of current: that of the last call on this CPU, mostly, or the first place where it may
 * be. NULL says nothing.
 */
static __always_inline struct kscap_stash_slot *slot_here(struct kscap_scratch *s,
							  const struct task_struct *task)
{
	struct kscap_stash_slot *slot = s->last_slot;

	/* Only current itself puts current there, and only its end takes it away. */
	if (likely(data_race(slot->task) == task))
		return slot;
	slot = kscap_stash_home(task);
	if (READ_ONCE(slot->task) != task)
		return NULL;
	s->last_slot = slot;
	return slot;
}

/* Without a call on the usual way, so that no register need be saved. */
void kscap_on_sys_enter(void *data, struct pt_regs *regs, long raw_nr)
{
	struct kscap_stash_slot *slot;
	int nr = raw_nr;
	unsigned long i;
	u8 entry;

	kscap_probe_enter();
	if (unlikely((u32)nr >= KSCAP_NR_ROWS))
		goto slow;
	i = kscap_row_nr(kscap_arch_abi_small(), nr);
	entry = READ_ONCE(kscap_nr_entry[i]);
	if (entry == KSCAP_ENTRY_SKIP)
		goto out;
	if (unlikely(entry != KSCAP_ENTRY_PLAIN || !kscap_clock_is_raw()))
		goto slow;
	slot = slot_here(this_cpu_read(kscap_scratch), current);
	if (unlikely(!slot))
		goto slow;
	if (likely(!slot->skip))
		kscap_stash_enter(slot, kscap_now_raw(), (unsigned long)&kscap_nr_row[i]);
	goto out;
slow:
	enter_slow(regs, nr);
out:
	kscap_probe_leave();
}

/* ---- the fast way: what is known of thread and files --------------------------------------- */

/* A call that is being recorded, in registers. */
struct fast {
	struct kscap_scratch *s;
	struct kscap_ring *ring;
	struct kscap_stash_slot *slot;
	struct task_struct *task;
	const struct kscap_row *row;
	u64 word;		/* of the ring, before the clock was read */
	u64 now;
	u64 token;		/* this ring, now */
	u64 *rec;
	s64 ret;
	u8 flags;		/* SCAP_CALL_* */
	u8 io_class;
};

#define NOT_INTRODUCED	U64_MAX

/*
 * The slot does not know the thread. Does the ring? Then the slot learns it. What is kept must not
 * be newer than what is hashed.
 */
static noinline bool thread_is_known(struct kscap_ring *ring, struct kscap_stash_slot *slot,
				     u64 token, u64 now)
{
	struct task_struct *task = current;
	u64 key;

	slot->seen = 0;
	slot->cgroups = rcu_access_pointer(task->cgroups);
	memcpy(slot->comm, task->comm, sizeof(slot->comm));
	barrier();
	key = kscap_intro_key(task);
	if (kscap_ring_gap_due(ring) ||
	    kscap_is_new(kscap_seen_thread(ring, task->pid), key, now >> SCAP_EPOCH_SHIFT))
		return false;
	slot->seen = token;
	return true;
}

/* Is the thread introduced, and no gap due? */
static __always_inline bool thread_is_fine(const struct fast *f)
{
	const struct kscap_stash_slot *slot = f->slot;
	const u64 *comm = (const u64 *)f->task->comm;

	if (likely(slot->seen == f->token &&
		   slot->cgroups == rcu_access_pointer(f->task->cgroups) &&
		   slot->comm[0] == comm[0] && slot->comm[1] == comm[1]))
		return true;
	return thread_is_known(f->ring, f->slot, f->token, f->now);
}

static __always_inline struct kscap_file_seen *file_seen(struct kscap_scratch *s,
							 const struct path *path)
{
	return &s->files_seen[(unsigned long)path->dentry / 64 % KSCAP_FILES_SEEN];
}

static __always_inline bool is_seen(const struct kscap_file_seen *seen, const struct path *path,
				    const struct inode *inode, u64 token)
{
	const struct dentry *d = path->dentry;

	return seen->dentry == d && seen->token == token && seen->mnt == path->mnt &&
	       seen->inode == inode && seen->ino == inode->i_ino &&
	       seen->name == kscap_name_key(d) && seen->parent == READ_ONCE(d->d_parent);
}

/*
 * The same for what lies at a path: its cookie, or NOT_INTRODUCED. The identity that was hashed is
 * the one that is kept only if the name is the same before and after.
 */
static noinline u64 known_cookie(struct kscap_scratch *s, struct kscap_ring *ring,
				 const struct path *path, const struct inode *inode, u64 token,
				 u64 now)
{
	struct kscap_file_seen *seen = file_seen(s, path);
	u64 key = kscap_path_key(path, inode);
	u32 cookie = kscap_cookie(key);

	if (kscap_is_new(kscap_seen_file(ring, cookie), key, now >> SCAP_EPOCH_SHIFT))
		return NOT_INTRODUCED;
	*seen = (struct kscap_file_seen){
		.dentry = path->dentry,
		.mnt = path->mnt,
		.inode = inode,
		.parent = READ_ONCE(path->dentry->d_parent),
		.name = kscap_name_key(path->dentry),
		.ino = inode->i_ino,
		.token = token,
		.cookie = cookie,
		.io_class = kscap_io_class(inode),
	};
	if (kscap_path_key(path, inode) != key)
		seen->token = 0;
	return cookie;
}

/* A socket's ends may change, so its hash is made each time. */
static noinline u64 socket_cookie(struct kscap_ring *ring, struct file *file, u64 now)
{
	u64 key = kscap_file_key(file, file_inode(file));
	u32 cookie = kscap_cookie(key);

	if (kscap_is_new(kscap_seen_file(ring, cookie), key, now >> SCAP_EPOCH_SHIFT))
		return NOT_INTRODUCED;
	return cookie;
}

static noinline u64 unseen_cookie(struct kscap_scratch *s, struct kscap_ring *ring,
				  struct file *file, u64 token, u64 now)
{
	const struct inode *inode = file_inode(file);

	s->io_class = kscap_io_class(inode);
	if (S_ISSOCK(inode->i_mode))
		return socket_cookie(ring, file, now);
	return known_cookie(s, ring, &file->f_path, inode, token, now);
}

static __always_inline u64 cookie_of(struct fast *f, struct file *file)
{
	const struct kscap_file_seen *seen = file_seen(f->s, &file->f_path);
	u64 cookie;

	if (likely(is_seen(seen, &file->f_path, file->f_inode, f->token))) {
		f->io_class = seen->io_class;
		return seen->cookie;
	}
	cookie = unseen_cookie(f->s, f->ring, file, f->token, f->now);
	f->io_class = f->s->io_class;
	return cookie;
}

/* Another thread may close the descriptor at any moment: see kscap_fd_ref(). */
static noinline u64 cookie_of_shared_fd(struct kscap_scratch *s, struct kscap_ring *ring, int fd,
					u64 token, u64 now)
{
	struct file *file = fget_raw(fd);
	u64 cookie;

	if (!file)
		return 0;
	cookie = unseen_cookie(s, ring, file, token, now);
	fput(file);
	return cookie;
}

/* 0: no file, also where fd is AT_FDCWD or negative otherwise; NOT_INTRODUCED. */
static __always_inline u64 cookie_of_fd(struct fast *f, int fd)
{
	struct files_struct *files = f->task->files;
	struct file *file;
	u64 cookie;

	f->io_class = SCAP_IO_OTHER;
	if (unlikely(!files))
		return 0;
	if (unlikely(atomic_read_acquire(&files->count) != 1)) {
		if (fd < 0)
			return 0;
		f->flags |= SCAP_CALL_FD_SHARED;
		cookie = cookie_of_shared_fd(f->s, f->ring, fd, f->token, f->now);
		if (cookie)
			f->io_class = f->s->io_class;
		return cookie;
	}
	file = files_lookup_fd_raw(files, fd);
	return likely(file) ? cookie_of(f, file) : 0;
}

/* As take_files() of call.c does it: the word of both cookies. */
static __always_inline bool fast_files(struct fast *f, const u64 *args, enum kscap_way way,
				       u64 *ret_cookies)
{
	const struct kscap_row *row = f->row;
	u64 first, second;

	if (way == KSCAP_WAY_IO || way == KSCAP_WAY_PATH ||
	    likely(!(row->flags & (KSCAP_ROW_CLOSE | KSCAP_ROW_RET_FD)) && row->fd_arg >= 0)) {
		*ret_cookies = way == KSCAP_WAY_PATH && row->fd_arg < 0 ? 0 :
			       cookie_of_fd(f, args[row->fd_arg]);
		return likely(*ret_cookies != NOT_INTRODUCED);
	}
	if (row->flags & KSCAP_ROW_CLOSE) {
		*ret_cookies = (u32)f->slot->args[0];
		f->flags |= f->slot->args[0] >> 32;
		return true;
	}
	second = row->fd_arg >= 0 ? cookie_of_fd(f, args[row->fd_arg]) : 0;
	if (f->ret < 0) {
		*ret_cookies = second;
		return second != NOT_INTRODUCED;
	}
	first = cookie_of_fd(f, f->ret);
	*ret_cookies = second << 32 | first;
	return first != NOT_INTRODUCED && second != NOT_INTRODUCED;
}

/* ---- the fast way: the record -------------------------------------------------------------- */

/* Roles that have no place in the registers' code. */
static noinline u32 rare_blobs(struct kscap_scratch *s, const struct kscap_row *row, u64 *rec,
			       u64 *args, u32 bytes, s64 ret, unsigned int abi, u32 room)
{
	s->row = row;
	s->rec = (union kscap_rec *)rec;
	s->args = args;
	s->bytes = bytes;
	s->ret = ret;
	s->abi = abi;
	s->room = room;
	kscap_encode_blobs(s);
	return s->bytes;
}

static __always_inline u64 *fast_buffer(struct fast *f, u64 *at, const u64 *args, int i, u8 role)
{
	if (role == SCAP_ROLE_BUF_OUT && f->ret <= 0)
		return at;
	return kscap_put_buffer(at, i, args[i], kscap_buffer_len(role, f->ret, args[i + 1]),
				READ_ONCE(kscap_max_snaplen[f->io_class]));
}

/* The working directory's cookie; the call names a file by a relative path. */
static noinline u64 cwd_cookie(struct kscap_scratch *s, struct kscap_ring *ring, u64 token, u64 now)
{
	struct fs_struct *fs = current->fs;
	const struct kscap_file_seen *seen;
	const struct inode *inode;
	struct path path;

	/* Shared with other threads, or in between: the general way tells doubt. */
	if (!fs || READ_ONCE(fs->users) != 1 || !kscap_fs_path(fs, &fs->pwd, &path))
		return NOT_INTRODUCED;
	inode = d_inode_rcu(path.dentry);
	if (!inode)
		return NOT_INTRODUCED;
	seen = file_seen(s, &path);
	if (likely(is_seen(seen, &path, inode, token)))
		return seen->cookie;
	return known_cookie(s, ring, &path, inode, token, now);
}

/* Does the path, whose blob this is, start from the working directory? See kscap_base_dirs(). */
static __always_inline bool starts_from_cwd(const struct fast *f, const u64 *args, const u64 *blob)
{
	const struct scap_blob *b = (const struct scap_blob *)blob;

	if (likely(SCAP_BLOB_BYTES(b->meta)) && *(const u8 *)(blob + 1) == '/')
		return false;
	if (f->row->fd_arg >= 0 && (s32)args[f->row->fd_arg] != AT_FDCWD)
		return false;
	return SCAP_BLOB_BYTES(b->meta) || SCAP_BLOB_STATE(b->meta) == SCAP_STATE_WHOLE;
}

/*
 * The blobs at `at`; returns the place behind. Under retpolines a switch is a chain of comparisons:
 * so the frequent roles stand here.
 */
static __always_inline u64 *fast_blobs(struct fast *f, u64 *at, u64 *args, unsigned int abi,
				       enum kscap_way way)
{
	const struct kscap_row *row = f->row;
	int i = row->blob_arg;
	u8 role;

	if (way == KSCAP_WAY_IO)
		return fast_buffer(f, at, args, i, row->role[i]);
	role = i >= 0 ? row->role[i] : SCAP_ROLE_NONE;
	if (way == KSCAP_WAY_PATH || likely(role == SCAP_ROLE_PATH))
		return kscap_put_str(at, i, args[i]);
	f->s->io_class = f->io_class;
	return f->rec + rare_blobs(f->s, row, f->rec, args, (at - f->rec) * 8, f->ret, abi,
				   f->ring->room8 * 8) / 8;
}

/*
 * What must hold, and where and when the record is, with all of its fixed part but the first word:
 * written at once, what need not be kept in registers. False: the general way.
 */
static __always_inline bool fast_begin(struct fast *f)
{
	u64 latency_ns;

	f->ring = READ_ONCE(f->s->lead);
	if (unlikely(!f->ring))
		return false;
	f->word = READ_ONCE(f->ring->core.word);
	barrier();
	f->now = kscap_now();
	latency_ns = f->now - f->slot->time_ns;
	/* Also where it is negative. */
	if (unlikely(latency_ns >= SCAP_LATENCY_UNKNOWN ||
		     !kscap_ring_room(f->ring, (u32)f->word)))
		return false;
	f->token = f->ring->stamp + READ_ONCE(kscap_roots_gen) + (f->now >> SCAP_EPOCH_SHIFT);
	if (unlikely(!thread_is_fine(f)))
		return false;
	f->rec = ring_at(&f->ring->core, (u32)f->word);
	f->rec[1] = f->now;
	f->rec[2] = KSCAP_TID_WORD(f->task->pid, latency_ns);
	f->rec[3] = KSCAP_RET_WORD(f->ret) | f->row->shape;
	return true;
}

/* The first word of a record of n8 units, and its publication. */
static __always_inline bool fast_end(struct fast *f, u32 n8)
{
	struct kscap_ring *ring = f->ring;

	f->rec[0] = KSCAP_HEAD_WORD(n8, SCAP_REC_CALL, f->flags, f->word >> 32);
	if (unlikely(!ring_take_outermost(&ring->core, f->word, n8)))
		return false;
	kscap_ring_wake(ring);
	return true;
}

static __always_inline bool fast_call(struct fast *f, struct pt_regs *regs, enum kscap_way way)
{
	const struct kscap_row *row = f->row;
	unsigned int abi = row >= &kscap_nr_row[KSCAP_NR_ROWS] ? SCAP_ABI_I386 : SCAP_ABI_X86_64;
	bool usual = way == KSCAP_WAY_IO || way == KSCAP_WAY_PATH;
	bool files = usual || (way == KSCAP_WAY_RICH && row->flags & KSCAP_ROW_FILES);
	bool blobs = usual || (way == KSCAP_WAY_RICH && row->flags & KSCAP_ROW_BLOBS);
	u64 *args, *at, *blob, cookies;

	if (!fast_begin(f))
		return false;
	args = f->rec + sizeof(struct scap_rec_call) / 8 + files;
	f->flags = files ? SCAP_CALL_COOKIES : 0;
	f->io_class = SCAP_IO_OTHER;
	if (way != KSCAP_WAY_LEAN || row->nargs)
		kscap_arch_args(regs, abi, args, row->nargs);
	blob = args + row->nargs;
	at = blob;
	if (files && !fast_files(f, args, way, &cookies))
		return false;
	if (blobs)
		at = fast_blobs(f, at, args, abi, way);
	if (way == KSCAP_WAY_PATH && !cookies && starts_from_cwd(f, args, blob))
		cookies = cwd_cookie(f->s, f->ring, f->token, f->now);
	/* A relative path that led to no descriptor needs its directory, too. */
	if (way == KSCAP_WAY_RICH && row->flags & KSCAP_ROW_PATHS &&
	    (f->ret < 0 || !(row->flags & KSCAP_ROW_RET_FD)) && *(const u8 *)(blob + 1) != '/')
		return false;
	if (files) {
		if (unlikely(cookies == NOT_INTRODUCED))
			return false;
		args[-1] = cookies;
	}
	return fast_end(f, at - f->rec);
}

/* Of a call whose entry is not known: does anybody want such? */
static __always_inline bool is_wanted(struct pt_regs *regs)
{
	int nr = syscall_get_nr(current, regs);

	return (u32)nr >= KSCAP_NR_ROWS ||
	       READ_ONCE(kscap_nr_wanted[kscap_row_nr(kscap_arch_abi_small(), nr)]);
}

/* Also of tasks that nobody chose, for the roots may be those of others. */
static bool changes_roots(struct pt_regs *regs)
{
	int nr = syscall_get_nr(current, regs);

	return kscap_row(kscap_arch_abi(nr), nr)->manners & KSCAP_CALL_ROOTS;
}

static noinline void exit_general(struct pt_regs *regs, long ret)
{
	struct kscap_stash_slot *slot = kscap_stash_find(current);
	struct kscap_scratch *s;

	if (!ret && changes_roots(regs))
		kscap_roots_changed();
	if ((slot && slot->skip) || !kscap_scratch_take(&s))
		return;
	kscap_call_exit(s, regs, ret);
	kscap_scratch_give(s);
}

/* The compiler makes of it a function for each way. */
static __always_inline void exit_fast(struct pt_regs *regs, long ret, struct kscap_scratch *s,
				      struct kscap_stash_slot *slot, const struct kscap_row *row,
				      enum kscap_way way)
{
	struct fast f = { .s = s, .slot = slot, .task = current, .ret = ret, .row = row };

	s->busy = 1;
	barrier();
	if (likely(f.ret == (s32)f.ret && fast_call(&f, regs, way)))
		slot->call = 0;
	else
		kscap_call_exit(s, regs, ret);
	kscap_scratch_give(s);
}

static noinline void exit_lean(struct pt_regs *regs, long ret, struct kscap_scratch *s,
			       struct kscap_stash_slot *slot, const struct kscap_row *row)
{
	exit_fast(regs, ret, s, slot, row, KSCAP_WAY_LEAN);
}

static noinline void exit_io(struct pt_regs *regs, long ret, struct kscap_scratch *s,
			     struct kscap_stash_slot *slot, const struct kscap_row *row)
{
	exit_fast(regs, ret, s, slot, row, KSCAP_WAY_IO);
}

static noinline void exit_path(struct pt_regs *regs, long ret, struct kscap_scratch *s,
			       struct kscap_stash_slot *slot, const struct kscap_row *row)
{
	exit_fast(regs, ret, s, slot, row, KSCAP_WAY_PATH);
}

static noinline void exit_rich(struct pt_regs *regs, long ret, struct kscap_scratch *s,
			       struct kscap_stash_slot *slot, const struct kscap_row *row)
{
	exit_fast(regs, ret, s, slot, row, KSCAP_WAY_RICH);
}

/*
 * That the slot holds a row says that this call's entry was seen: each exit clears it, and only
 * exec and sigreturn, which are not for the fast way, come out as another call.
 */
void kscap_on_sys_exit(void *data, struct pt_regs *regs, long ret)
{
	const struct kscap_row *row;
	struct kscap_stash_slot *slot;
	struct kscap_scratch *s;

	kscap_probe_enter();
	s = this_cpu_read(kscap_scratch);
	slot = slot_here(s, current);
	/* kscap_stash_refresh() may change it at any time: it is looked at once. */
	row = likely(slot) ? (const struct kscap_row *)READ_ONCE(slot->call) : NULL;
	if (unlikely((long)row >= 0 || slot->skip || s->busy)) {
		if (is_wanted(regs))
			exit_general(regs, ret);
	} else if (row->way == KSCAP_WAY_LEAN) {
		exit_lean(regs, ret, s, slot, row);
	} else if (row->way == KSCAP_WAY_PATH) {
		exit_path(regs, ret, s, slot, row);
	} else if (row->way == KSCAP_WAY_IO) {
		exit_io(regs, ret, s, slot, row);
	} else if (row->way == KSCAP_WAY_RICH) {
		exit_rich(regs, ret, s, slot, row);
	} else {
		exit_general(regs, ret);
	}
	kscap_probe_leave();
}
