/* SPDX-License-Identifier: MIT */
/* Events made by hand, for the tests of filter and print. */
#ifndef TEST_FILTER_EVENT_H
#define TEST_FILTER_EVENT_H

#include <criterion/criterion.h>
#include <scap/filter.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "format/event.h"

#define T0 1700000000123456789ULL	/* 2023-11-14 22:13:20 UTC */

static const struct scap__thread test_thread __attribute__((unused)) = {
	.tid = 4711, .tgid = 4700, .ppid = 1, .vtid = 4711, .vtgid = 4700, .uid = 1000, .euid = 0,
	.comm = "httpd",
};

/* A call by name, with its arguments and result. */
static inline void test_call(struct scap_event *ev, unsigned abi, const char *name, int64_t ret,
			     unsigned nargs, ...)
{
	va_list ap;

	memset(ev, 0, sizeof(*ev));
	ev->num = 12;
	ev->raw_ns = 5000;
	ev->wall_ns = T0;
	ev->cpu = 1;
	ev->type = SCAP_REC_CALL;
	ev->abi = (uint8_t)abi;
	ev->tid = 4711;
	ev->nr = scap__syscall_nr(abi, name);
	ev->sc = scap__syscall_lookup(abi, ev->nr);
	ev->ret = ret;
	ev->latency_ns = 12345;
	ev->thread = &test_thread;
	ev->nargs = (uint8_t)nargs;
	va_start(ap, nargs);
	for (unsigned i = 0; i < nargs; i++)
		ev->args[i] = va_arg(ap, uint64_t);
	va_end(ap);
	if (!ev->sc)
		snprintf(ev->name_buf, sizeof(ev->name_buf), "syscall_%lld", (long long)ev->nr);
}

static inline void test_blob(struct scap_event *ev, unsigned slot, unsigned state, const void *data,
			     size_t bytes, size_t orig)
{
	struct scap__blob *b = &ev->blobs[ev->n_blobs++];

	b->slot = (uint8_t)slot;
	b->state = (uint8_t)state;
	b->data = data;
	b->bytes = (uint32_t)bytes;
	b->orig_bytes = (uint32_t)orig;
}

static inline void test_str(struct scap_event *ev, unsigned slot, const char *s)
{
	test_blob(ev, slot, SCAP_STATE_WHOLE, s, strlen(s), strlen(s));
}

static inline void test_file(struct scap__file *f, const char *path)
{
	memset(f, 0, sizeof(*f));
	f->kind = SCAP_KIND_FILE;
	f->path = path;
	f->path_bytes = (uint32_t)strlen(path);
	f->ino = 77;
}

static inline void test_sock(struct scap__file *f, unsigned local_port, unsigned remote_port)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };

	memset(f, 0, sizeof(*f));
	f->kind = SCAP_KIND_INET;
	f->ino = 99;
	f->sock.family = 2;
	f->sock.type = 1;
	f->sock.state = remote_port ? 1 : 10;
	memcpy(f->sock.local_addr, loopback, 4);
	f->sock.local_port = (uint16_t)local_port;
	if (remote_port) {
		memcpy(f->sock.remote_addr, loopback, 3);
		f->sock.remote_addr[3] = 2;
	}
	f->sock.remote_port = (uint16_t)remote_port;
}

/* A field as text, until the next call; <NA>: the event has none. */
static inline const char *test_field(const char *name, const struct scap_event *ev)
{
	static char text[20000];
	struct scap_field *f = NULL;
	struct scap_error err;

	cr_assert_eq(scap_field_compile(name, &f, &err), 0, "%s", err.text);
	if (scap_field_text(f, ev, text, sizeof(text)) < 0)
		strcpy(text, "<NA>");
	scap_field_free(f);
	return text;
}

#endif
