/* SPDX-License-Identifier: MIT */
/*
 * The Nth allocation, read or write fails, for every N until none does: an error that says so, no
 * leak (LeakSanitizer looks at the end), and what was delivered or written before is right. The
 * linker sends allocations of the library, and of zstd and zlib, which are linked into this
 * program, through the functions here, and system calls, too.
 */
#ifndef TEST_FAULT_H
#define TEST_FAULT_H

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <scap/scap.h>

#include "support_keyframe.h"
#include "support_savefile.h"

/* ---- what fails ------------------------------------------------------------------------------ */

enum kind {
	NOTHING,
	ALLOCATION,
	OWN_ALLOCATION,	/* by the allocator that the caller gives */
	WRITE,		/* write(2) fails */
	SHORT_WRITE,	/* write(2) takes half */
	READ,		/* a source fails */
	SHORT_READ,	/* it gives one byte */
	READ_CALL,	/* read(2) fails */
	SINK,		/* a sink fails */
	SYSCALL,	/* ftruncate(2), lseek(2), pthread_create() */
};

static enum kind failing, active;	/* the kind, while it does fail */
static atomic_long left;	/* calls until one fails; 0: none will */
static atomic_bool failed;
static bool for_good;		/* I/O goes on failing then */

static bool fails(enum kind kind)
{
	bool stays = kind == WRITE || kind == READ || kind == READ_CALL ||
		     kind == SINK;

	if (kind != active)
		return false;
	if (atomic_load(&failed) && stays && for_good)
		return true;
	if (!atomic_load(&left) || atomic_fetch_sub(&left, 1) != 1)
		return false;
	atomic_store(&failed, true);
	return true;
}

#define WRAP(type, name, params, args, failure) \
	type __real_##name params; \
	type __wrap_##name params; \
	type __wrap_##name params { return fails failure : __real_##name args; }

WRAP(void *, malloc, (size_t n), (n), (ALLOCATION) ? NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), (ALLOCATION) ? NULL)
WRAP(void *, realloc, (void *p, size_t n), (p, n), (ALLOCATION) ? NULL)
WRAP(char *, strdup, (const char *s), (s), (ALLOCATION) ? NULL)
WRAP(int, ftruncate, (int fd, off_t n), (fd, n), (SYSCALL) ? (errno = EIO, -1))
WRAP(off_t, lseek, (int fd, off_t n, int whence), (fd, n, whence),
     (SYSCALL) ? (errno = EIO, -1))
WRAP(int, pthread_create, (pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg),
     (t, a, f, arg), (SYSCALL) ? EAGAIN)

static void *own_alloc(void *ctx, size_t n)
{
	void *p = fails(OWN_ALLOCATION) ? NULL : __real_malloc(n);

	(void)ctx;
	return p ? memset(p, 0xa5, n) : NULL;
}

static void own_free(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

static const struct scap_allocator own = { .alloc = own_alloc, .free = own_free };

static const struct scap_allocator *allocator(void)
{
	return failing == OWN_ALLOCATION ? &own : NULL;
}

static bool is_memory(enum kind kind)
{
	return kind == ALLOCATION || kind == OWN_ALLOCATION;
}

int __wrap_asprintf(char **ret, const char *form, ...);
int __wrap_asprintf(char **ret, const char *form, ...)
{
	va_list ap;
	int n;

	if (fails(ALLOCATION))
		return -1;
	va_start(ap, form);
	n = vasprintf(ret, form, ap);
	va_end(ap);
	return n;
}

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	if (fails(WRITE)) {
		errno = ENOSPC;
		return -1;
	}
	return __real_write(fd, p, fails(SHORT_WRITE) ? n / 2 + 1 : n);
}

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n)
{
	if (fails(READ_CALL)) {
		errno = EIO;
		return -1;
	}
	return __real_read(fd, p, n);
}

static struct rows_reader input;
static struct scap_source sound_source;

static ssize_t source_read(void *ctx, void *buf, size_t n)
{
	if (fails(READ))
		return -EIO;
	return sound_source.read(ctx, buf, fails(SHORT_READ) ? 1 : n);
}

static struct scap_source source(const void *p, size_t n)
{
	struct scap_source src = sound_source = rows_source(&input, p, n);

	input.max_read = 100;
	src.read = source_read;
	return src;
}

/* Nothing fails from here on: whether anything did. */
static bool stop_failing(void)
{
	atomic_store(&left, 0);
	active = NOTHING;
	return atomic_load(&failed);
}

/* Runs it with a failure at each place, until there is none any more: how often it failed. */
static long at_each(enum kind kind, void (*run)(long n))
{
	bool any = true;
	long n = 0;

	failing = kind;
	for (unsigned i = 0; i < 2; i++) {
		for_good = i;
		for (n = 1, any = true; any; n++) {
			active = kind;
			atomic_store(&failed, false);
			atomic_store(&left, n);
			run(n);
			any = stop_failing();
		}
	}
	return n - 2;
}

static int want_of(enum kind kind)
{
	return is_memory(kind) ? -ENOMEM : kind == WRITE || kind == SINK ? -ENOSPC : -EIO;
}

static void check_error(int rc, const struct scap_error *err, long n)
{
	cr_assert_eq(rc, want_of(failing), "kind %d, place %ld: %d, %s", failing, n, rc, err->text);
	cr_assert_eq(err->code, rc, "place %ld: %d, %s", n, err->code, err->text);
	cr_assert_neq(err->text[0], 0, "place %ld", n);
}

/* ---- reading --------------------------------------------------------------------------------- */

static struct capture cap;
static struct rows theirs;	/* a .scap file */
static const struct rows *file;
static uint32_t flags;
static const char *filter_text;
static struct rows sound;	/* what is read when nothing fails */
static struct rows got;		/* with room for all of it */

/* As much of an event as tells it from others. */
static void put_event(struct rows *to, const struct scap_event *ev)
{
	static const struct scap_print_options opt = { .size = sizeof(opt) };
	char text[4096];

	scap_print_json(ev, &opt, text, sizeof(text));
	rows_put(to, text, strlen(text) + 1);
}

static int read_file(struct rows *ret, struct scap_error *err)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = flags,
					   .allocator = allocator() };
	struct scap_source src = source(file->p, file->n);
	struct scap_filter *filter = NULL;
	const struct scap_event *ev;
	struct scap_reader *r;
	int rc = filter_text ? scap_filter_compile(filter_text, &filter, err) : 0;

	if (!rc)
		rc = scap_reader_open_source(&src, &opt, &r, err);
	if (rc) {
		scap_filter_free(filter);
		return rc;
	}
	if (filter)
		scap_reader_choose(r, filter);
	while ((rc = scap_reader_next(r, &ev)) == 0)
		put_event(ret, ev);
	if (rc < 0) {
		*err = *scap_reader_error(r);
		cr_assert(rc == SCAP_EDAMAGED || scap_reader_next(r, &ev) == rc, "it stays");
	}
	scap_reader_close(r);
	scap_filter_free(filter);
	return rc;
}

static void make(void)
{
	rows_capture(&cap, &(struct capture_spec){ .seed = 4, .n_cpus = 2, .n_slices = 6,
		     .per_slice = 10, .keyframes = true, .groups = true });
	sf_sample(&theirs);
}

static void drop(void)
{
	capture_free(&cap);
	rows_free(&theirs);
	rows_free(&sound);
	rows_free(&got);
}

#endif
