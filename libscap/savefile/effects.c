/* SPDX-License-Identifier: MIT */
/* Which files a call is about, and what it changes. */
#include <string.h>

#include "savefile/call.h"

#define CWD_FD		(-100)
#define SOCK_TYPE_MASK	0xf
#define F_DUPFD		0
#define F_DUPFD_CLOEXEC	1030
#define PR_SET_NAME	15
#define NO_ID		UINT32_MAX

/* ---- files behind arguments ----------------------------------------------------------------- */

static bool is_fd_role(unsigned role)
{
	return role == SCAP_ROLE_FD || role == SCAP_ROLE_DIRFD || role == SCAP_ROLE_CLOSE_FD;
}

static int64_t fd_of(const struct scap__sf_call *c, unsigned i)
{
	return c->known >> i & 1 ? (int32_t)c->args[i] : -1;
}

static struct scap__sf_file *file_of(const struct scap__sf_call *c, unsigned i)
{
	return scap__sf_fd_get(c->t, fd_of(c, i));
}

static struct scap__sf_text path_of(const struct scap__sf_call *c, unsigned i)
{
	bool exec = c->sc->args[i].role == SCAP_ROLE_EXEC_PATH;

	return scap__sf_string(&c->v[exec ? SCAP__SF_FILENAME : SCAP__SF_S0 + i]);
}

/* The directory that path argument i starts from, if it is relative; NULL: not known, or none. */
static struct scap__sf_file *base_of(const struct scap__sf_call *c, unsigned i)
{
	struct scap__sf_text path = path_of(c, i);
	bool has_dir = i && c->sc->args[i - 1].role == SCAP_ROLE_DIRFD;

	if (!path.n || path.p[0] == '/')
		return has_dir ? file_of(c, i - 1) : NULL;
	if (!has_dir || fd_of(c, i - 1) == CWD_FD)
		return scap__sf_dir_of(&c->sf->state, c->t);
	return file_of(c, i - 1);
}

/* As abi.h has it: of two descriptors, or of the directories of two paths. */
static void find_files(struct scap__sf_call *c)
{
	struct scap__sf_file *files[2] = { NULL, NULL };
	unsigned n_fds = 0, n_paths = 0, skip = 0;

	for (unsigned i = 0; c->sc && i < c->sc->nargs; i++) {
		unsigned role = c->sc->args[i].role;

		if (is_fd_role(role)) {
			skip = n_fds ? skip : role != SCAP_ROLE_DIRFD;
			if (n_fds < 2 && !n_paths)
				files[n_fds] = file_of(c, i);
			n_fds++;
		} else if (role == SCAP_ROLE_PATH || role == SCAP_ROLE_EXEC_PATH) {
			if (n_paths + skip < 2)
				files[n_paths + skip] = base_of(c, i);
			n_paths++;
		}
	}
	c->file = c->held[0] = scap__sf_file_get(files[0]);
	c->file2 = c->held[1] = scap__sf_file_get(files[1]);
}

/* ---- new descriptors ------------------------------------------------------------------------ */

static bool made_fd(const struct scap__sf_call *c)
{
	return c->has_ret && c->ret >= 0 && c->t;
}

/* The call's new descriptor has f behind it; c->file2 is what the argument had. */
static void new_fd(struct scap__sf_call *c, struct scap__sf_file *f)
{
	c->file2 = c->file;
	scap__sf_fd_set(&c->sf->state, c->t, c->ret, f);
	c->file = scap__sf_fd_get(c->t, c->ret);
}

static int path_arg(const struct scap__sf_call *c)
{
	return scap__sf_find_arg(c->sc, SCAP_ROLE_PATH);
}

/* Where the path leads, as far as its text tells. */
static size_t whole_path(const struct scap__sf_call *c, int arg, char to[SCAP_PATH_MAX_BYTES])
{
	struct scap__sf_text path = path_of(c, (unsigned)arg);
	struct scap__sf_file *base = base_of(c, (unsigned)arg);

	return scap__sf_join(to, base && !base->sock.family ? &base->text : NULL, path.p, path.n);
}

static uint64_t open_flags(const struct scap__sf_call *c)
{
	int i = scap__sf_find_arg(c->sc, SCAP_ROLE_OPEN_FLAGS);

	return i >= 0 ? c->args[i] : scap__sf_number_or(&c->v[SCAP__SF_OPEN_FLAGS], 0);
}

static void open_before(struct scap__sf_call *c)
{
	struct scap__sf_text name = scap__sf_string(&c->v[SCAP__SF_PATH]);
	char path[SCAP_PATH_MAX_BYTES];
	struct scap__sf_file *f;
	size_t n = name.n;

	if (!made_fd(c))
		return;
	if (!n && path_arg(c) >= 0) {
		n = whole_path(c, path_arg(c), path);
		name.p = path;
	}
	f = scap__sf_file_new(&c->sf->state, SCAP_KIND_FILE, name.p, n);
	if (f) {
		f->open_flags = (uint32_t)open_flags(c);
		f->dev = scap__sf_dev((uint32_t)scap__sf_number_or(&c->v[SCAP__SF_DEV], 0));
		f->ino = scap__sf_number_or(&c->v[SCAP__SF_INO], 0);
		if (f->open_flags & 0200000)
			f->kind = SCAP_KIND_DIR;
	}
	new_fd(c, f);
}

static void dup_before(struct scap__sf_call *c)
{
	if (made_fd(c) && c->known & 1)
		new_fd(c, scap__sf_file_get(c->file));
	else if (made_fd(c))
		scap__sf_fd_close(&c->sf->state, c->t, c->ret);
}

static void fcntl_before(struct scap__sf_call *c)
{
	bool dups = c->known & 2 && (c->args[1] == F_DUPFD || c->args[1] == F_DUPFD_CLOEXEC);

	if (dups && made_fd(c))
		scap__sf_fd_set(&c->sf->state, c->t, c->ret, scap__sf_file_get(c->file));
}

static struct scap__sf_file *new_socket(struct scap__sf_call *c)
{
	struct scap__sf_file *f;

	if (!(c->known & 1))
		return NULL;
	f = scap__sf_socket_new(&c->sf->state, (unsigned)c->args[0], 0);
	if (f && c->known & 2)
		f->sock.type = (uint16_t)(c->args[1] & SOCK_TYPE_MASK);
	if (f && c->known & 4)
		f->sock.protocol = (uint16_t)c->args[2];
	return f;
}

static void socket_before(struct scap__sf_call *c)
{
	if (made_fd(c))
		new_fd(c, new_socket(c));
}

static void set_pair(struct scap__sf_call *c, struct scap__sf_file *a, struct scap__sf_file *b)
{
	int64_t fd1 = (int64_t)scap__sf_number_or(&c->v[SCAP__SF_FD1], UINT64_MAX);
	int64_t fd2 = (int64_t)scap__sf_number_or(&c->v[SCAP__SF_FD2], UINT64_MAX);

	scap__sf_fd_set(&c->sf->state, c->t, fd1, a);
	scap__sf_fd_set(&c->sf->state, c->t, fd2, b);
	c->file = scap__sf_fd_get(c->t, fd1);
	c->file2 = scap__sf_fd_get(c->t, fd2);
}

static void socketpair_before(struct scap__sf_call *c)
{
	if (made_fd(c))
		set_pair(c, new_socket(c), new_socket(c));
}

static struct scap__sf_file *new_pipe(struct scap__sf_call *c, uint64_t ino)
{
	char name[40] = "pipe:[";
	struct scap__sf_file *f;
	size_t n = strlen(name);
	char digits[20];
	unsigned k = 0;

	if (!ino)
		return scap__sf_file_new(&c->sf->state, SCAP_KIND_FIFO, NULL, 0);
	for (uint64_t v = ino; v; v /= 10)
		digits[k++] = (char)('0' + v % 10);
	while (k)
		name[n++] = digits[--k];
	name[n++] = ']';
	f = scap__sf_file_new(&c->sf->state, SCAP_KIND_FIFO, name, n);
	if (f)
		f->ino = ino;
	return f;
}

static void pipe_before(struct scap__sf_call *c)
{
	uint64_t ino = scap__sf_number_or(&c->v[SCAP__SF_INO], 0);

	if (made_fd(c))
		set_pair(c, new_pipe(c, ino), new_pipe(c, ino));
}

static const struct anon {
	const char *call, *name;
	uint16_t kind;
} anons[] = {
	{ "eventfd", "anon_inode:[eventfd]", SCAP_KIND_EVENTFD },
	{ "eventfd2", "anon_inode:[eventfd]", SCAP_KIND_EVENTFD },
	{ "signalfd", "anon_inode:[signalfd]", SCAP_KIND_SIGNALFD },
	{ "signalfd4", "anon_inode:[signalfd]", SCAP_KIND_SIGNALFD },
	{ "timerfd_create", "anon_inode:[timerfd]", SCAP_KIND_TIMERFD },
	{ "inotify_init", "anon_inode:inotify", SCAP_KIND_INOTIFY },
	{ "inotify_init1", "anon_inode:inotify", SCAP_KIND_INOTIFY },
	{ "epoll_create", "anon_inode:[eventpoll]", SCAP_KIND_EVENTPOLL },
	{ "epoll_create1", "anon_inode:[eventpoll]", SCAP_KIND_EVENTPOLL },
	{ "userfaultfd", "anon_inode:[userfaultfd]", SCAP_KIND_ANON },
	{ "io_uring_setup", "anon_inode:[io_uring]", SCAP_KIND_ANON },
	{ "pidfd_open", "anon_inode:[pidfd]", SCAP_KIND_ANON },
};

static void anon_before(struct scap__sf_call *c)
{
	if (!made_fd(c))
		return;
	for (size_t i = 0; i < sizeof(anons) / sizeof(anons[0]); i++)
		if (!strcmp(anons[i].call, c->sc->name))
			new_fd(c, scap__sf_file_new(&c->sf->state, anons[i].kind, anons[i].name,
						    strlen(anons[i].name)));
}

static void memfd_before(struct scap__sf_call *c)
{
	struct scap__sf_text name = scap__sf_string(&c->v[SCAP__SF_S0]);
	char path[64] = "/memfd:";
	size_t n = strlen(path), more = name.n < sizeof(path) - n ? name.n : sizeof(path) - n;

	if (!made_fd(c))
		return;
	if (more)
		memcpy(path + n, name.p, more);
	new_fd(c, scap__sf_file_new(&c->sf->state, SCAP_KIND_MEMFD, path, n + more));
}

/* It is not known what it is, but no longer what it was. */
static void unknown_before(struct scap__sf_call *c)
{
	if (made_fd(c))
		new_fd(c, NULL);
}

/* ---- sockets -------------------------------------------------------------------------------- */

/* A descriptor from before the file's beginning: the call says that it is a socket. */
static struct scap__sf_file *socket_of(struct scap__sf_call *c)
{
	struct scap__sf_file *f = c->file;

	if (f && (f->sock.family || f->kind == SCAP_KIND_UNKNOWN))
		return f;
	if (f || !c->t || fd_of(c, 0) < 0)
		return NULL;
	f = scap__sf_file_new(&c->sf->state, SCAP_KIND_SOCKET, NULL, 0);
	scap__sf_fd_set(&c->sf->state, c->t, fd_of(c, 0), f);
	c->file = scap__sf_fd_get(c->t, fd_of(c, 0));
	return c->file;
}

/* A connect that goes on in the background has its address, too. */
static void connect_before(struct scap__sf_call *c)
{
	const struct scap__sf_value *tuple = &c->v[SCAP__SF_TUPLE], *addr = &c->v[SCAP__SF_S1];
	struct scap__sf_file *f;

	if (!c->has_ret || (c->ret < 0 && c->ret != -115))
		return;
	f = socket_of(c);
	if (f && tuple->n > 1)
		scap__sf_set_tuple(&c->sf->state, f, tuple->p, tuple->n, false);
	else if (f && addr->n > 1)
		scap__sf_set_remote(&c->sf->state, f, addr->p, addr->n);
}

static void bind_before(struct scap__sf_call *c)
{
	const struct scap__sf_value *addr = &c->v[SCAP__SF_S1];
	struct scap__sf_file *f;

	if (!c->has_ret || c->ret < 0 || addr->n < 2)
		return;
	f = socket_of(c);
	if (f)
		scap__sf_set_local(&c->sf->state, f, addr->p, addr->n);
}

static void listen_before(struct scap__sf_call *c)
{
	struct scap__sf_file *f = c->has_ret && !c->ret ? socket_of(c) : NULL;

	if (f && f->sock.state != SCAP__SF_LISTEN) {
		f->sock.state = SCAP__SF_LISTEN;
		scap__sf_file_changed(f);
	}
}

static void accept_before(struct scap__sf_call *c)
{
	const struct scap__sf_value *tuple = &c->v[SCAP__SF_TUPLE];
	struct scap__sf_file *f;

	if (!made_fd(c))
		return;
	f = scap__sf_socket_new(&c->sf->state, tuple->n ? tuple->p[0] : 0, 0);
	if (f && !f->sock.family)
		f->kind = SCAP_KIND_SOCKET;
	if (f && c->file)
		f->sock.type = c->file->sock.type;
	if (f && tuple->n)
		scap__sf_set_tuple(&c->sf->state, f, tuple->p, tuple->n, true);
	new_fd(c, f);
}

/* Messages tell both ends of a socket of which nothing is known yet. */
static void message_before(struct scap__sf_call *c)
{
	const struct scap__sf_value *tuple = &c->v[SCAP__SF_TUPLE];
	struct scap__sf_file *f;

	if (!c->has_ret || c->ret < 0 || tuple->n < 2 || (c->file && c->file->sock.family))
		return;
	f = socket_of(c);
	if (f)
		scap__sf_set_tuple(&c->sf->state, f, tuple->p, tuple->n,
				   scap__sf_find_arg(c->sc, SCAP_ROLE_BUF_OUT) >= 0 ||
				   scap__sf_find_arg(c->sc, SCAP_ROLE_MSG_OUT) >= 0);
}

/* ---- directories ---------------------------------------------------------------------------- */

static void chdir_before(struct scap__sf_call *c)
{
	char path[SCAP_PATH_MAX_BYTES];
	size_t n;

	if (!c->has_ret || c->ret || !c->t)
		return;
	n = whole_path(c, 0, path);
	scap__sf_set_cwd(&c->sf->state, c->t, path, n);
	c->file = n ? scap__sf_dir_of(&c->sf->state, c->t) : NULL;
}

static void fchdir_after(struct scap__sf_call *c)
{
	if (c->has_ret && !c->ret && c->t && c->file && !c->file->sock.family)
		scap__sf_set_cwd(&c->sf->state, c->t, c->file->text.p, c->file->text.n);
}

static void chroot_after(struct scap__sf_call *c)
{
	struct scap__sf_text path = scap__sf_string(&c->v[SCAP__SF_S0]);

	if (!c->has_ret || c->ret || !c->t || !path.n || path.p[0] != '/')
		return;
	scap__sf_text_set(c->sf->budget, &c->t->root, path.p, path.n);
	c->t->told.epoch = UINT64_MAX;
}

/* ---- ends of descriptors -------------------------------------------------------------------- */

/* Whatever it returns the descriptor is gone, if it was one. */
static void close_after(struct scap__sf_call *c)
{
	if (c->has_ret && c->ret != -9)
		scap__sf_fd_close(&c->sf->state, c->t, fd_of(c, 0));
}

static void close_range_after(struct scap__sf_call *c)
{
	struct scap__sf_fds *fds = c->t ? c->t->fds : NULL;
	uint64_t gone[64];
	unsigned n;

	if (!fds || !c->has_ret || c->ret || (c->known & 7) != 7 || c->args[2] & 4)
		return;
	do {
		n = 0;
		for (uint32_t i = 0; i < fds->map.n_slots && n < 64; i++) {
			const struct scap__sf_slot *s = &fds->map.slots[i];

			if (s->value && s->key - 1 >= c->args[0] && s->key - 1 <= c->args[1])
				gone[n++] = s->key - 1;
		}
		for (unsigned i = 0; i < n; i++)
			scap__sf_fd_close(&c->sf->state, c->t, (int64_t)gone[i]);
	} while (n == 64);
}

/* ---- who a thread is ------------------------------------------------------------------------ */

static void set_id(struct scap__sf_call *c, uint32_t *id, unsigned arg)
{
	if (!c->has_ret || c->ret || !c->t || !(c->known >> arg & 1) ||
	    (uint32_t)c->args[arg] == NO_ID)
		return;
	*id = (uint32_t)c->args[arg];
	c->t->told.epoch = UINT64_MAX;
}

static void setuid_after(struct scap__sf_call *c)
{
	if (c->t)
		set_id(c, &c->t->uid, 0);
}

static void setreuid_after(struct scap__sf_call *c)
{
	if (c->t)
		set_id(c, &c->t->uid, 1);
}

static void setgid_after(struct scap__sf_call *c)
{
	if (c->t)
		set_id(c, &c->t->gid, 0);
}

static void setregid_after(struct scap__sf_call *c)
{
	if (c->t)
		set_id(c, &c->t->gid, 1);
}

static void prctl_after(struct scap__sf_call *c)
{
	struct scap__sf_text name = scap__sf_string(&c->v[SCAP__SF_S1]);

	if (c->t && c->has_ret && !c->ret && c->known & 1 && c->args[0] == PR_SET_NAME && name.n)
		scap__sf_set_comm(c->t, name.p, name.n);
}

/* ---- which call does what ------------------------------------------------------------------- */

typedef void effect(struct scap__sf_call *c);

static const struct {
	const char *call;
	effect *before, *after;
} effects[] = {
	{ NULL, NULL, NULL },
	{ "open", open_before, NULL }, { "openat", open_before, NULL },
	{ "openat2", open_before, NULL }, { "creat", open_before, NULL },
	{ "open_by_handle_at", open_before, NULL },
	{ "dup", dup_before, NULL }, { "dup2", dup_before, NULL }, { "dup3", dup_before, NULL },
	{ "fcntl", fcntl_before, NULL },
	{ "socket", socket_before, NULL }, { "socketpair", socketpair_before, NULL },
	{ "pipe", pipe_before, NULL }, { "pipe2", pipe_before, NULL },
	{ "eventfd", anon_before, NULL }, { "eventfd2", anon_before, NULL },
	{ "signalfd", anon_before, NULL }, { "signalfd4", anon_before, NULL },
	{ "timerfd_create", anon_before, NULL }, { "inotify_init", anon_before, NULL },
	{ "inotify_init1", anon_before, NULL }, { "epoll_create", anon_before, NULL },
	{ "epoll_create1", anon_before, NULL }, { "userfaultfd", anon_before, NULL },
	{ "io_uring_setup", anon_before, NULL }, { "pidfd_open", anon_before, NULL },
	{ "memfd_create", memfd_before, NULL },
	{ "pidfd_getfd", unknown_before, NULL },
	{ "connect", connect_before, NULL }, { "bind", bind_before, NULL },
	{ "listen", listen_before, NULL },
	{ "accept", accept_before, NULL }, { "accept4", accept_before, NULL },
	{ "sendto", message_before, NULL }, { "recvfrom", message_before, NULL },
	{ "sendmsg", message_before, NULL }, { "recvmsg", message_before, NULL },
	{ "chdir", chdir_before, NULL }, { "fchdir", NULL, fchdir_after },
	{ "chroot", NULL, chroot_after },
	{ "close", NULL, close_after }, { "close_range", NULL, close_range_after },
	{ "setuid", NULL, setuid_after }, { "setreuid", NULL, setreuid_after },
	{ "setresuid", NULL, setreuid_after },
	{ "setgid", NULL, setgid_after }, { "setregid", NULL, setregid_after },
	{ "setresgid", NULL, setregid_after },
	{ "prctl", NULL, prctl_after },
	{ "clone", scap__sf_cloned, NULL }, { "clone3", scap__sf_cloned, NULL },
	{ "fork", scap__sf_cloned, NULL }, { "vfork", scap__sf_cloned, NULL },
	{ "execve", scap__sf_executed, NULL }, { "execveat", scap__sf_executed, NULL },
};

void scap__sf_effects_init(struct scap__savefile *sf)
{
	for (size_t i = 1; i < sizeof(effects) / sizeof(effects[0]); i++) {
		int64_t nr = scap__syscall_nr(SCAP_ABI_X86_64, effects[i].call);

		if (nr >= 0 && nr < SCAP__SF_TYPES_MAX)
			sf->effects[nr] = (uint8_t)i;
	}
}

static unsigned effect_of(const struct scap__sf_call *c)
{
	return c->nr < SCAP__SF_TYPES_MAX ? c->sf->effects[c->nr] : 0;
}

void scap__sf_before(struct scap__sf_call *c)
{
	effect *before = effects[effect_of(c)].before;

	find_files(c);
	if (before && scap__sf_type_of(c->ev->type)->what == SCAP__SF_EXIT)
		before(c);
}

void scap__sf_after(struct scap__sf_call *c)
{
	effect *after = effects[effect_of(c)].after;

	if (after)
		after(c);
}

void scap__sf_release(struct scap__sf_call *c)
{
	scap__sf_file_put(&c->sf->state, c->held[0]);
	scap__sf_file_put(&c->sf->state, c->held[1]);
}
