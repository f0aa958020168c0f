/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "savefile/sock.h"

void scap__sf_set_argv(struct scap__sf_state *s, struct scap__sf_thread *t,
		       const struct scap__sf_text *exe, const struct scap__sf_text *args)
{
	size_t n_exe = exe->n && !exe->p[exe->n - 1] ? exe->n - 1 : exe->n;
	size_t n = n_exe + 1 + args->n;
	char *p;

	scap__sf_text_fini(s->budget, &t->argv);
	if (!n_exe && !args->n)
		return;
	p = scap__new(s->budget, n);
	if (!p)
		return;
	if (n_exe)
		memcpy(p, exe->p, n_exe);
	if (args->n)
		memcpy(p + n_exe + 1, args->p, args->n);
	t->argv = (struct scap__sf_text){ p, (uint32_t)n };
}

/* The longest of its paths: in most hierarchies a task is at the root. */
void scap__sf_set_cgroup(struct scap__sf_state *s, struct scap__sf_thread *t, const void *p,
			 size_t n)
{
	const char *text = p, *best = NULL;
	size_t n_best = 0, len;

	for (size_t at = 0; at < n; at += len + 1) {
		const char *path;

		len = strnlen(text + at, n - at);
		path = memchr(text + at, '=', len);
		if (path && len - (size_t)(path + 1 - text - at) > n_best) {
			best = path + 1;
			n_best = len - (size_t)(best - text - at);
		}
	}
	scap__sf_text_set(s->budget, &t->cgroup, best, n_best);
}

void scap__sf_set_exe(struct scap__sf_state *s, struct scap__sf_thread *t, const void *path,
		      size_t n, uint64_t ino)
{
	if (n && t->exe && t->exe->text.n == n && !memcmp(t->exe->text.p, path, n) &&
	    t->exe->ino == ino)
		return;
	scap__sf_file_put(s, t->exe);
	t->exe = NULL;
	if (!n || ((const char *)path)[0] != '/')
		return;
	t->exe = scap__sf_file_new(s, SCAP_KIND_FILE, path, n);
	if (t->exe)
		t->exe->ino = ino;
}

static size_t add_part(char *p, size_t n, const char *part, size_t len)
{
	if (!len || (len == 1 && part[0] == '.'))
		return n;
	if (len == 2 && part[0] == '.' && part[1] == '.') {
		while (n && p[--n] != '/')
			;
		return n;
	}
	if (len + 1 > SCAP_PATH_MAX_BYTES - n)
		return SCAP_PATH_MAX_BYTES + 1;
	p[n++] = '/';
	memcpy(p + n, part, len);
	return n + len;
}

static size_t add_parts(char *p, size_t n, const char *path, size_t left)
{
	while (left && n <= SCAP_PATH_MAX_BYTES) {
		const char *slash = memchr(path, '/', left);
		size_t len = slash ? (size_t)(slash - path) : left;

		n = add_part(p, n, path, len);
		len += slash ? 1 : 0;
		path += len;
		left -= len;
	}
	return n;
}

size_t scap__sf_join(char ret[SCAP_PATH_MAX_BYTES], const struct scap__sf_text *base,
		     const void *path, size_t n)
{
	const char *p = path;
	size_t at = 0;

	if (!n)
		return 0;
	if (p[0] != '/') {
		if (!base || !base->n || base->p[0] != '/')
			return 0;
		at = add_parts(ret, 0, base->p, base->n);
	}
	if (at <= SCAP_PATH_MAX_BYTES)
		at = add_parts(ret, at, p, n);
	if (at > SCAP_PATH_MAX_BYTES)
		return 0;
	if (!at)
		ret[at++] = '/';
	return at;
}

struct scap__sf_file *scap__sf_dir_of(struct scap__sf_state *s, struct scap__sf_thread *t)
{
	if (t && !t->dir && t->cwd.n)
		t->dir = scap__sf_file_new(s, SCAP_KIND_DIR, t->cwd.p, t->cwd.n);
	return t ? t->dir : NULL;
}
