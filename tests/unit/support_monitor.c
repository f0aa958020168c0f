/* SPDX-License-Identifier: MIT */
#include "support_monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/table.h"

void watched_fire(void *ctx, uint32_t condition, const struct scap_event *ev)
{
	struct watched *w = ctx;

	if (w->n_fired == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 64;
		w->fired = realloc(w->fired, w->cap * sizeof(*w->fired));
		if (!w->fired)
			abort();
	}
	w->fired[w->n_fired++] = (struct monitor_fired){ condition, scap_event_num(ev) };
}

void watched_init(struct watched *w, const struct scap_condition *c, uint32_t n, uint32_t flags,
		  uint32_t max_programs, uint32_t max_sockets)
{
	struct scap_monitor_options opt = {
		.size = sizeof(opt), .conditions = c, .n_conditions = n, .flags = flags,
		.max_programs = max_programs, .max_sockets = max_sockets,
		.fired = watched_fire, .ctx = w,
	};
	struct scap_error err;

	*w = (struct watched){ .ns = MONITOR_T0 };
	if (scap_monitor_new(&opt, &w->m, NULL, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

void watched_fini(struct watched *w)
{
	scap_monitor_free(w->m);
	free(w->fired);
	for (unsigned i = 0; i < 4; i++)
		rows_free(&w->rings[i]);
}

void watched_fill(const struct watched *w, uint64_t start, uint64_t end, struct scap_slice *s,
		  struct scap_slice_part *parts)
{
	*s = (struct scap_slice){ .start_ns = start, .end_ns = end, .clock_raw_ns = start,
				  .real_ns = start + 7777777, .boot_ns = start, .parts = parts };
	for (unsigned i = 0; i < 4; i++)
		if (w->rings[i].n)
			parts[s->n_parts++] = (struct scap_slice_part){
				.cpu = i / SCAP_LANES, .lane = i % SCAP_LANES,
				.rows = w->rings[i].p, .bytes = w->rings[i].n,
			};
}

int watched_slice(struct watched *w)
{
	struct scap_slice_part parts[4];
	struct scap_slice s;
	int rc;

	watched_fill(w, MONITOR_T0, w->ns + 1, &s, parts);
	rc = scap_monitor_slice(w->m, &s);
	for (unsigned i = 0; i < 4; i++)
		w->rings[i].n = 0;
	return rc;
}

static uint64_t step(struct watched *w)
{
	return w->ns += 1000;
}

void watched_call(struct watched *w, const struct made_call *c)
{
	struct rows *r = &w->rings[c->ring];
	struct scap_rec_call rec = {
		.tid = c->tid, .latency_ns = 100, .ret = (int32_t)c->ret,
		.nr = (uint16_t)scap__syscall_nr(c->abi, c->name),
		.shape = (uint8_t)SCAP_SHAPE(c->abi, c->nargs ? c->nargs : 1),
	};
	bool x32 = c->abi == SCAP_ABI_X32;
	uint64_t nr = (uint64_t)scap__syscall_nr(c->abi, c->name);
	uint32_t cookies[2] = { c->cookie, c->cookie2 };
	bool wide = c->ret != (int32_t)c->ret;
	unsigned flags = (x32 ? SCAP_CALL_NR64 : 0) | (wide ? SCAP_CALL_RET64 : 0) |
			 (c->cookie || c->cookie2 ? SCAP_CALL_COOKIES : 0);
	size_t at = rows_begin(r, SCAP_REC_CALL, (uint8_t)flags, w->seq[c->ring]++, step(w));

	rows_put(r, (uint8_t *)&rec + sizeof(rec.h), sizeof(rec) - sizeof(rec.h));
	if (x32)
		rows_put(r, &nr, sizeof(nr));
	if (wide)
		rows_put(r, &c->ret, sizeof(c->ret));
	if (flags & SCAP_CALL_COOKIES)
		rows_put(r, cookies, sizeof(cookies));
	rows_put(r, c->args, 8 * (c->nargs ? c->nargs : 1));
	if (c->data)
		rows_blob(r, 1, c->state, c->data, c->n, (uint32_t)(c->orig ? c->orig : c->n));
	rows_end(r, at);
}

void watched_intro(struct watched *w, unsigned ring, uint32_t tid, const char *comm,
		   uint64_t cgroup_id)
{
	struct scap_rec_intro i = { .tid = tid, .tgid = tid, .ppid = 1, .cgroup_id = cgroup_id };
	struct rows *r = &w->rings[ring];
	size_t at = rows_begin(r, SCAP_REC_INTRO, 0, w->seq[ring]++, step(w));

	strncpy(i.comm, comm, sizeof(i.comm) - 1);
	rows_put(r, (uint8_t *)&i + sizeof(i.h), sizeof(i) - sizeof(i.h));
	rows_end(r, at);
}

void watched_file(struct watched *w, unsigned ring, uint32_t cookie, unsigned kind, bool datagram)
{
	struct scap_rec_file f = { .cookie = cookie, .kind = (uint16_t)kind, .ino = cookie };
	struct scap_sock sock = { .family = 2, .type = datagram ? 2 : 1, .local_port = 80 };
	struct rows *r = &w->rings[ring];
	size_t at = rows_begin(r, SCAP_REC_FILE, 0, w->seq[ring]++, step(w));

	rows_put(r, (uint8_t *)&f + sizeof(f.h), sizeof(f) - sizeof(f.h));
	if (kind >= SCAP_KIND_INET && kind <= SCAP_KIND_SOCKET)
		rows_blob(r, SCAP_SLOT_SOCK, SCAP_STATE_WHOLE, &sock, sizeof(sock), sizeof(sock));
	else
		rows_blob(r, SCAP_SLOT_PATH, SCAP_STATE_WHOLE, "/x", 2, 2);
	rows_end(r, at);
}

void watched_read(struct watched *w, uint32_t cookie, const char *data)
{
	size_t n = strlen(data);

	watched_call(w, &(struct made_call){ .tid = 100, .name = "read", .ret = (int64_t)n,
					     .cookie = cookie, .data = data, .n = n });
}

void watched_write(struct watched *w, uint32_t cookie, const char *data)
{
	size_t n = strlen(data);

	watched_call(w, &(struct made_call){ .tid = 100, .name = "write", .ret = (int64_t)n,
					     .cookie = cookie, .data = data, .n = n });
}
