/* SPDX-License-Identifier: MIT */
/*
 * checkkey CAPTURE PID: each call on a descriptor that the capture's first keyframe told of, and
 * that was not closed or opened again since, is about the very file that the keyframe named, by
 * cookie and name. Prints how many calls that were, and how many of process PID.
 */
#include "capture.h"

#define N_FDS 65536

static struct held {
	uint32_t tid, fd, cookie;
	uint64_t ns;
	char name[256];
} held[N_FDS];

static unsigned n_held, n_calls, n_of_pid, n_fails, n_mounts, n_users;

static void add(const struct scap_event *ev)
{
	struct held *h = &held[n_held];

	if (n_held == N_FDS)
		die("descriptors");
	*h = (struct held){ ev->tid, ev->u.key_fd.fd, ev->cookie, ev->raw_ns, "" };
	if (!ev->file) {
		n_fails++;
		printf("FAIL descriptor %u of %u has no file\n", h->fd, h->tid);
		return;
	}
	if (ev->file->path)
		snprintf(h->name, sizeof(h->name), "%s", ev->file->path);
	n_held++;
}

static struct held *find(uint32_t tgid, uint64_t fd)
{
	for (unsigned i = 0; i < n_held; i++)
		if (held[i].tid == tgid && held[i].fd == fd)
			return &held[i];
	return NULL;
}

static void forget(uint32_t tgid, uint64_t fd)
{
	struct held *h = find(tgid, fd);

	if (h)
		h->tid = 0;
}

static bool is_on_fd(const char *name)
{
	return !strcmp(name, "read") || !strcmp(name, "write") || !strcmp(name, "pwrite64") ||
	       !strcmp(name, "pread64") || !strcmp(name, "lseek");
}

static void check(const struct scap_event *ev, const struct held *h, unsigned pid)
{
	if (!h || ev->raw_ns < h->ns || !ev->cookie)
		return;
	n_calls++;
	n_of_pid += ev->thread->tgid == pid;
	if (ev->cookie == h->cookie && (!ev->file || !ev->file->path ||
					!strncmp(ev->file->path, h->name, sizeof(h->name) - 1)))
		return;
	if (n_fails++ < 20)
		printf("FAIL %s on %u of %u: cookie %x %s, in the keyframe %x %s\n",
		       scap_event_name(ev), h->fd, h->tid, ev->cookie,
		       ev->file && ev->file->path ? ev->file->path : "", h->cookie, h->name);
}

static void call(const struct scap_event *ev, unsigned pid)
{
	const char *name = scap_event_name(ev);
	uint32_t tgid;

	if (!is_call(ev) || !ev->thread)
		return;
	tgid = ev->thread->tgid;
	if (is_on_fd(name) && ev->nargs) {
		check(ev, find(tgid, ev->args[0]), pid);
	} else if (!strcmp(name, "close")) {
		forget(tgid, ev->args[0]);
	} else if (!strcmp(name, "execve")) {
		for (unsigned i = 0; i < n_held; i++)
			if (held[i].tid == tgid)
				held[i].tid = 0;
	} else if (ev->sc && ev->sc->ret_role == SCAP_ROLE_RET_FD && ev->ret >= 0) {
		forget(tgid, (uint64_t)ev->ret);
	}
}

static void keyframe(struct scap_reader *r, const struct scap_event *ev)
{
	struct scap_keyframe_text text;

	if (ev->type == SCAP_REC_KEY_FD && scap_reader_info(r)->n_keyframes == 1)
		add(ev);
	for (unsigned i = 0; ev->type == SCAP_REC_KEY_END &&
	     scap_reader_keyframe_text(r, i, &text) == 0; i++) {
		n_mounts += text.kind == SCAP_KEYFRAME_MOUNTS && strstr(text.data, " /proc ");
		n_users += text.kind == SCAP_KEYFRAME_USERS && strstr(text.data, "1000 shop\n");
	}
}

int main(int argc, char **argv)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = SCAP_READER_KEYFRAMES };
	unsigned pid = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	const struct scap_event *ev;
	struct scap_reader *r;
	struct scap_error err;

	if (argc < 2 || scap_reader_open_path(argv[1], &opt, &r, &err) < 0)
		die("%s", argc < 2 ? "usage" : err.text);
	while ((ev = capture_next(r)) != NULL) {
		if (scap_event_in_keyframe(ev))
			keyframe(r, ev);
		else
			call(ev, pid);
	}
	printf("descriptors %u calls %u of-pid %u mounts %u users %u\n", n_held, n_calls, n_of_pid,
	       n_mounts, n_users);
	scap_reader_close(r);
	return n_fails != 0;
}
