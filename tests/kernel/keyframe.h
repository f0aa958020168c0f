/* SPDX-License-Identifier: MIT */
/* Keyframes straight from the module, for programs that know what must be in them. */
#ifndef TESTS_KERNEL_KEYFRAME_H
#define TESTS_KERNEL_KEYFRAME_H

#include "guest.h"
#include <fcntl.h>
#include <scap/abi.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <time.h>

struct keyframe {
	uint8_t *p;
	size_t n, cap;
	unsigned n_calls;	/* of the ioctl */
	const struct scap_rec_key_end *end;
};

static unsigned n_fails;

__attribute__((format(printf, 1, 2))) static inline void fail(const char *fmt, ...)
{
	va_list ap;

	if (n_fails++ > 30)
		return;
	printf("FAIL ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static inline uint64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static inline int key_open(void)
{
	int fd = open(SCAP_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("%s", SCAP_DEVICE_PATH);
	return fd;
}

/* The whole of it, in parts of `room` bytes; k->p is kept from one to the next. */
static inline void key_take(int fd, size_t room, struct keyframe *k)
{
	struct scap_keyframe kf = { .size = sizeof(kf) };

	k->n = 0;
	k->n_calls = 0;
	do {
		if (k->cap - k->n < room) {
			k->cap = (k->n + room) * 2;
			k->p = realloc(k->p, k->cap);
			if (!k->p)
				die("memory");
		}
		kf.buf = (uintptr_t)(k->p + k->n);
		kf.room_bytes = room;
		if (ioctl(fd, SCAP_IOC_KEYFRAME, &kf) < 0)
			die("SCAP_IOC_KEYFRAME");
		if (kf.filled_bytes > room)
			fail("%llu bytes in a room of %zu", (unsigned long long)kf.filled_bytes,
			     room);
		k->n += kf.filled_bytes;
		k->n_calls++;
	} while (!kf.done);
}

/* The next record behind `at` (NULL: the first); NULL at the end. Lengths are checked here. */
static inline const struct scap_rec *key_next(const struct keyframe *k, const void *at)
{
	const struct scap_rec *h = at;
	size_t off = h ? (size_t)((const uint8_t *)h - k->p) + h->len8 * 8u : 0;

	if (off == k->n)
		return NULL;
	h = (const void *)(k->p + off);
	if (k->n - off < sizeof(*h) || !h->len8 || h->len8 * 8u > k->n - off) {
		fail("a record's length does not fit at %zu of %zu", off, k->n);
		return NULL;
	}
	return h;
}

static inline size_t key_fixed(const struct scap_rec *h)
{
	switch (h->type) {
	case SCAP_REC_FILE:
		return sizeof(struct scap_rec_file);
	case SCAP_REC_KEY_TASK:
		return sizeof(struct scap_rec_key_task);
	default:
		return h->len8 * 8u;
	}
}

static inline const struct scap_blob *key_blob(const struct scap_rec *h, unsigned slot)
{
	size_t at = key_fixed(h), n = h->len8 * 8u;

	while (at + sizeof(struct scap_blob) <= n) {
		const struct scap_blob *b = (const void *)((const uint8_t *)h + at);

		if (SCAP_BLOB_SLOT(b->meta) == slot)
			return b;
		at += sizeof(*b) + (SCAP_BLOB_BYTES(b->meta) + 7) / 8 * 8;
	}
	return NULL;
}

/* As a string; NULL: there is no such blob. */
static inline const char *key_text(const struct scap_rec *h, unsigned slot, char *buf, size_t cap)
{
	const struct scap_blob *b = key_blob(h, slot);
	size_t n = b ? SCAP_BLOB_BYTES(b->meta) : 0;

	if (!b)
		return NULL;
	if (n >= cap)
		n = cap - 1;
	memcpy(buf, b + 1, n);
	buf[n] = 0;
	return buf;
}

/* The introduction that holds at `at`: the last one of the cookie before it. */
static inline const struct scap_rec_file *key_file(const struct keyframe *k, uint32_t cookie,
						   const void *at)
{
	static const struct scap_rec_file *last[1 << 16];
	static const void *upto;
	static const uint8_t *of;
	static size_t of_n;
	const struct scap_rec *h = upto;

	/* Entries of one keyframe are asked for in its order, so that one pass does for all. */
	if (of != k->p || of_n != k->n || !upto || upto > at) {
		memset(last, 0, sizeof(last));
		of = k->p;
		of_n = k->n;
		h = key_next(k, NULL);
	}
	for (; h && (const void *)h <= at; h = key_next(k, h)) {
		const struct scap_rec_file *f = (const void *)h;
		uint16_t i = (uint16_t)(f->cookie >> 16);

		upto = h;
		if (h->type != SCAP_REC_FILE)
			continue;
		while (last[i] && last[i]->cookie != f->cookie)
			i++;
		last[i] = f;
	}
	for (uint16_t i = (uint16_t)(cookie >> 16); last[i]; i++)
		if (last[i]->cookie == cookie)
			return last[i];
	return NULL;
}

/*
 * What every keyframe must be: records counted from 0 on, KEY_FD and KEY_CALL behind their task,
 * every cookie introduced, KEY_END last with the right counts.
 */
static inline void key_check(struct keyframe *k)
{
	const struct scap_rec_key_task *task = NULL;
	uint32_t n[SCAP_REC_TYPES] = { 0 }, seq = 0;
	const struct scap_rec *h = NULL, *last = NULL;

	k->end = NULL;
	while ((h = key_next(k, h)) != NULL) {
		const struct scap_rec_key_fd *fd = (const void *)h;
		const struct scap_rec_key_call *call = (const void *)h;

		last = h;
		n[h->type % SCAP_REC_TYPES]++;
		if (h->seq != seq++)
			fail("record %u has number %u", seq - 1, h->seq);
		if (h->type == SCAP_REC_KEY_TASK) {
			task = (const void *)h;
			if (task->exe_cookie && !key_file(k, task->exe_cookie, h))
				fail("task %u: its program was not introduced", task->who.tid);
		} else if (h->type == SCAP_REC_KEY_FD) {
			if (!task || fd->tid != task->who.tid || fd->start_ns != task->who.start_ns)
				fail("descriptor %u of %u is not behind its task", fd->fd, fd->tid);
			if (!key_file(k, fd->cookie, h))
				fail("descriptor %u of %u: its file was not introduced", fd->fd,
				     fd->tid);
		} else if (h->type == SCAP_REC_KEY_CALL) {
			if (!task || call->tid != task->who.tid)
				fail("a call of %u is not behind its task", call->tid);
		}
	}
	if (!last || last->type != SCAP_REC_KEY_END) {
		fail("the keyframe has no end");
		return;
	}
	k->end = (const void *)last;
	if (k->end->n_fds != n[SCAP_REC_KEY_FD] || k->end->n_files != n[SCAP_REC_FILE] ||
	    k->end->n_calls != n[SCAP_REC_KEY_CALL] || k->end->n_tasks != n[SCAP_REC_KEY_TASK])
		fail("the end's counts are wrong");
}

static inline const struct scap_rec_key_task *key_task(const struct keyframe *k, uint32_t tid)
{
	const struct scap_rec_key_task *found = NULL;
	const struct scap_rec *h = NULL;

	while ((h = key_next(k, h)) != NULL)
		if (h->type == SCAP_REC_KEY_TASK &&
		    ((const struct scap_rec_key_task *)h)->who.tid == tid)
			found = (const void *)h;
	return found;
}

/* A thread that does not tell its table shares it with one of its process that does. */
static inline void key_check_tables(const struct keyframe *k)
{
	const struct scap_rec *h = NULL, *i;

	while ((h = key_next(k, h)) != NULL) {
		const struct scap_rec_key_task *t = (const void *)h, *u;
		bool told = false;

		if (h->type != SCAP_REC_KEY_TASK || !t->table || h->flags & SCAP_KEY_TASK_TABLE)
			continue;
		for (i = key_next(k, NULL); i && !told; i = key_next(k, i)) {
			u = (const void *)i;
			told = i->type == SCAP_REC_KEY_TASK && u->who.tgid == t->who.tgid &&
			       u->table == t->table && i->flags & SCAP_KEY_TASK_TABLE;
		}
		if (!told)
			fail("thread %u %s: nobody tells its table", t->who.tid, t->who.comm);
	}
}

#endif
