/* SPDX-License-Identifier: MIT */
/* Which files a call is about: behind its descriptors, and by its paths. */
#include "filter/value.h"

#define CWD_FD		(-100)

bool scap__is_fd_role(unsigned role)
{
	return role == SCAP_ROLE_FD || role == SCAP_ROLE_DIRFD || role == SCAP_ROLE_CLOSE_FD;
}

int scap__find_role(const struct scap_event *ev, unsigned role)
{
	unsigned n = ev->sc ? scap__n_known_args(ev) : 0;

	for (unsigned i = 0; i < n; i++)
		if (ev->sc->args[i].role == role)
			return (int)i;
	return -1;
}

/* The nth descriptor argument, from 0; -1: there is none. */
static int nth_fd_arg(const struct scap_event *ev, unsigned nth)
{
	unsigned n = ev->sc ? scap__n_known_args(ev) : 0;

	for (unsigned i = 0; i < n; i++)
		if (scap__is_fd_role(ev->sc->args[i].role) && !nth--)
			return (int)i;
	return -1;
}

static int first_fd_arg(const struct scap_event *ev)
{
	return nth_fd_arg(ev, 0);
}

bool scap__returns_new_fd(const struct scap_event *ev)
{
	return scap_event_has_ret(ev) && ev->sc && ev->sc->ret_role == SCAP_ROLE_RET_FD &&
	       ev->ret >= 0;
}

bool scap__exec_succeeded(const struct scap_event *ev)
{
	return scap_event_has_ret(ev) && !ev->ret && scap__find_role(ev, SCAP_ROLE_EXEC_PATH) >= 0;
}

/* fcntl's F_DUPFD is no row of its own: its result is a descriptor of the argument's file. */
static bool duplicates_fd(const struct scap_event *ev)
{
	int i = ev->sc ? scap__find_role(ev, SCAP_ROLE_FCNTL_CMD) : -1;
	uint32_t cmd;

	if (i < 0 || !scap_event_has_ret(ev) || ev->ret < 0 || scap__arg_unknown(ev, (unsigned)i))
		return false;
	cmd = (uint32_t)ev->args[i];
	return cmd == 0 || cmd == 1030;
}

/*
 * Another thread can close a new descriptor before the call's exit is recorded. Then the first
 * cookie is the argument's, and nothing tells it from a new file whose argument was closed: a wrong
 * name is worse than none.
 */
static bool cookie_is_uncertain(const struct scap_event *ev, int first_fd)
{
	return ev->flags & SCAP_CALL_FD_SHARED && ev->cookie && !ev->cookie2 && first_fd >= 0 &&
	       (int32_t)ev->args[first_fd] >= 0;
}

/* The new descriptor's file. */
const struct scap__file *scap__new_file(const struct scap_event *ev)
{
	return cookie_is_uncertain(ev, first_fd_arg(ev)) ? NULL : ev->file;
}

/* abi.h says which argument a cookie belongs to. */
const struct scap__file *scap__arg_file(const struct scap_event *ev, unsigned i)
{
	int first = first_fd_arg(ev);

	if (scap__returns_new_fd(ev)) {
		if ((int32_t)ev->args[i] == ev->ret)
			return scap__new_file(ev);	/* dup2, dup3: where the new one went */
		return (int)i == first ? ev->file2 : NULL;
	}
	if (scap__exec_succeeded(ev))
		return (int)i == first ? ev->file2 : NULL;
	if ((int)i == first)
		return ev->file;
	return (int)i == nth_fd_arg(ev, 1) ? ev->file2 : NULL;
}

const struct scap__file *scap__ret_file(const struct scap_event *ev)
{
	if (scap__returns_new_fd(ev))
		return scap__new_file(ev);
	return duplicates_fd(ev) ? ev->file : NULL;
}

bool scap__open_like(const struct scap_event *ev)
{
	return ev->type == SCAP_REC_CALL && ev->sc && ev->sc->ret_role == SCAP_ROLE_RET_FD &&
	       scap__find_role(ev, SCAP_ROLE_PATH) >= 0;
}

static bool pair_fd(const struct scap_event *ev, int64_t *ret_num)
{
	int i = scap__find_role(ev, SCAP_ROLE_FD_PAIR);
	const struct scap__blob *b = i < 0 ? NULL : scap__event_blob(ev, (unsigned)i);

	if (!b || b->bytes < 4)
		return false;
	*ret_num = (int32_t)(b->data[0] | (uint32_t)b->data[1] << 8 |
			     (uint32_t)b->data[2] << 16 | (uint32_t)b->data[3] << 24);
	return true;
}

bool scap__event_fd(const struct scap_event *ev, int64_t *ret_num,
		    const struct scap__file **ret_file)
{
	int i;

	*ret_file = ev->file;
	if (ev->type != SCAP_REC_CALL || scap__exec_succeeded(ev))
		return false;
	if (scap__returns_new_fd(ev)) {
		*ret_num = ev->ret;
		*ret_file = scap__new_file(ev);
		return true;
	}
	if (scap__open_like(ev)) {
		*ret_num = -1;
		*ret_file = NULL;
		return true;
	}
	i = first_fd_arg(ev);
	if (i < 0)
		return pair_fd(ev, ret_num);
	if (scap__arg_unknown(ev, (unsigned)i))
		return false;
	*ret_num = (int32_t)ev->args[i];
	return *ret_num != CWD_FD;
}

static const struct scap__blob *blob_of_role(const struct scap_event *ev, unsigned role)
{
	int i = scap__find_role(ev, role);

	return i < 0 ? NULL : scap__event_blob(ev, (unsigned)i);
}

static bool is_row(const struct scap_event *ev, const char *row)
{
	return ev->sc && !strcmp(ev->sc->row, row);
}

/* The address that a datagram went to or came from; NULL: none was given. */
static const struct scap__blob *message_address(const struct scap_event *ev)
{
	if (is_row(ev, "sendto"))
		return blob_of_role(ev, SCAP_ROLE_SOCKADDR_IN);
	if (is_row(ev, "recvfrom"))
		return ev->ret < 0 ? NULL : blob_of_role(ev, SCAP_ROLE_SOCKADDR_OUT);
	return scap__event_blob(ev, SCAP_SLOT_NAME);
}

bool scap__is_stream(const struct scap__file *f)
{
	return f->sock.type == 1 || f->sock.type == 5;	/* SOCK_STREAM, SOCK_SEQPACKET */
}

const struct scap__file *scap__as_connected(const struct scap_event *ev, const struct scap__file *f,
					    struct scap__file *ret)
{
	const struct scap__blob *b;
	bool message;

	if (!f || !f->sock.family || !scap_event_has_ret(ev))
		return f;
	message = !is_row(ev, "connect");
	if (message ? scap__is_stream(f) : ev->ret >= 0)
		return f;
	b = message ? message_address(ev) : blob_of_role(ev, SCAP_ROLE_SOCKADDR_IN);
	if (!b)
		return f;
	*ret = *f;
	return scap__file_set_remote(ret, b->data, b->bytes, message) ? ret : f;
}

/* ---- paths ---------------------------------------------------------------------------------- */

/* Whether the call changed where paths start from: then its file is where it went. */
static bool went_there(const struct scap_event *ev)
{
	return scap_event_has_ret(ev) && !ev->ret && (is_row(ev, "chdir") || is_row(ev, "chroot"));
}

/* The argument that is the nth path, from 0; -1: there is none. */
static int nth_path_arg(const struct scap_event *ev, unsigned nth)
{
	unsigned n = ev->sc ? scap__n_known_args(ev) : 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned role = ev->sc->args[i].role;

		if ((role == SCAP_ROLE_PATH || role == SCAP_ROLE_EXEC_PATH) && !nth--)
			return (int)i;
	}
	return -1;
}

static const struct scap__blob *asked_path(const struct scap_event *ev, int arg)
{
	bool exec = ev->sc->args[arg].role == SCAP_ROLE_EXEC_PATH;

	return scap__event_blob(ev, exec ? SCAP_SLOT_FILENAME : (unsigned)arg);
}

static bool is_relative(const struct scap__blob *b)
{
	return b && (b->bytes ? b->data[0] != '/' : b->state == SCAP_STATE_WHOLE);
}

/* The directory that the nth path starts from if it is relative; NULL: not known. See abi.h. */
static const struct scap__file *base_dir(const struct scap_event *ev, unsigned nth, int arg)
{
	int first = first_fd_arg(ev);
	unsigned place = nth + (first >= 0 && ev->sc->args[first].role != SCAP_ROLE_DIRFD);

	if (scap__returns_new_fd(ev) || scap__exec_succeeded(ev))
		return arg && ev->sc->args[arg - 1].role == SCAP_ROLE_DIRFD ?
		       scap__arg_file(ev, (unsigned)arg - 1) : NULL;
	if (went_there(ev) || place > 1)
		return NULL;
	return place ? ev->file2 : ev->file;
}

const struct scap__file *scap__work_dir(const struct scap_event *ev)
{
	int arg;

	if (ev->type != SCAP_REC_CALL || scap__returns_new_fd(ev) || scap__exec_succeeded(ev))
		return NULL;
	for (unsigned nth = 0; (arg = nth_path_arg(ev, nth)) >= 0; nth++) {
		const struct scap__file *f = base_dir(ev, nth, arg);

		if (f && f->path && !(arg && ev->sc->args[arg - 1].role == SCAP_ROLE_DIRFD) &&
		    is_relative(asked_path(ev, arg)))
			return f;
	}
	return NULL;
}

const struct scap__file *scap__path_file(const struct scap_event *ev, unsigned nth)
{
	const struct scap__file *f = NULL;

	if (nth)
		return NULL;
	if (scap__open_like(ev) && scap__returns_new_fd(ev))
		f = scap__new_file(ev);
	else if (scap__exec_succeeded(ev) || went_there(ev))
		f = ev->file;
	return f && f->path ? f : NULL;
}

/* Takes "", "." and ".." out of an absolute path, as far as its text tells. Its new length. */
static size_t plain_path(char *p, size_t n)
{
	size_t to = 0, i = 0;

	while (i < n) {
		size_t len = 0;

		while (i < n && p[i] == '/')
			i++;
		while (i + len < n && p[i + len] != '/')
			len++;
		if (len == 2 && p[i] == '.' && p[i + 1] == '.') {
			while (to && p[--to] != '/')
				;
		} else if (len && !(len == 1 && p[i] == '.')) {
			p[to++] = '/';
			memmove(p + to, p + i, len);
			to += len;
		}
		i += len;
	}
	if (!to)
		p[to++] = '/';
	return to;
}

static void out_joined(struct scap__out *o, const struct scap__file *base,
		       const struct scap__blob *b)
{
	char tmp[2 * SCAP_PATH_MAX_BYTES + 2];
	size_t n = 0;

	if (base && is_relative(b)) {
		n = base->path_bytes < SCAP_PATH_MAX_BYTES ? base->path_bytes : SCAP_PATH_MAX_BYTES;
		memcpy(tmp, base->path, n);
		tmp[n++] = '/';
	}
	if (b->bytes > sizeof(tmp) - n || (!n && is_relative(b))) {
		scap__out_bytes(o, b->data, b->bytes);
		return;
	}
	memcpy(tmp + n, b->data, b->bytes);
	scap__out_bytes(o, tmp, plain_path(tmp, n + b->bytes));
}

bool scap__out_path(struct scap__out *o, const struct scap_event *ev, unsigned nth)
{
	const struct scap__file *f = scap__path_file(ev, nth);
	int arg = nth_path_arg(ev, nth);
	const struct scap__blob *b = arg < 0 ? NULL : asked_path(ev, arg);

	if (ev->type != SCAP_REC_CALL || (ev->more & SCAP_MORE_ARGS_LOST && !f))
		return false;
	if (f) {
		scap__out_bytes(o, f->path, f->path_bytes);
		return true;
	}
	if (!b || b->state == SCAP_STATE_UNREADABLE)
		return false;
	f = base_dir(ev, nth, arg);
	out_joined(o, f && f->path && f->path_bytes && f->path[0] == '/' ? f : NULL, b);
	return true;
}

const struct scap__blob *scap__asked_path(const struct scap_event *ev, unsigned nth)
{
	int arg = ev->type == SCAP_REC_CALL ? nth_path_arg(ev, nth) : -1;

	return arg < 0 ? NULL : asked_path(ev, arg);
}

unsigned scap__n_paths(const struct scap_event *ev)
{
	unsigned n = 0;

	while (nth_path_arg(ev, n) >= 0)
		n++;
	return n;
}
