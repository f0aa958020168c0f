/* SPDX-License-Identifier: MIT */
/*
 * Responses of HTTP/1.0 and 1.1 as servers write them to stream sockets. A status line counts only
 * at the beginning of a response, which is: the first bytes written to a socket; the first ones
 * written after something was read from it; and what follows the header of a response of the 100s,
 * which is not the final one. All bytes behind a status line, or behind a beginning that is none,
 * are passed over until something is read again: so no body is mistaken for one, wherever it comes
 * from. The line may come in any number of pieces; it is known when the third digit is written.
 *
 * What this does not see: the further responses to requests that were read at once (pipelining);
 * a status line whose bytes were not kept (a snaplen below 12 for sockets, sendfile(2), splice(2),
 * sendmmsg(2) behind its first message, socketcall(2), io_uring); anything encrypted; HTTP/2.
 */
#include "monitor/monitor.h"

#include <errno.h>
#include <stdlib.h>

enum state {
	BEGINNING,	/* n_matched bytes of a status line were written */
	INTERIM,	/* the header of one of the 100s; n_matched line ends follow each other */
	BEHIND,		/* nothing counts until something is read */
};

#define STATUS_AT	9	/* in "HTTP/1.1 200" */
#define STATUS_END	12

/* ---- sockets ------------------------------------------------------------------------------- */

int scap__sockets_init(struct scap__sockets *s, uint32_t max)
{
	*s = (struct scap__sockets){ .max = max, .n_slots = 1 };
	while (s->n_slots < max)
		s->n_slots *= 2;
	s->v = calloc((size_t)max + 1, sizeof(*s->v));
	s->slots = calloc(s->n_slots, sizeof(*s->slots));
	return s->v && s->slots ? 0 : -ENOMEM;
}

void scap__sockets_fini(struct scap__sockets *s)
{
	free(s->v);
	free(s->slots);
}

static uint32_t *slot_of(struct scap__sockets *s, uint32_t cookie)
{
	return &s->slots[(cookie * 0x9e3779b1u >> 7) & (s->n_slots - 1)];
}

static void unlink_use(struct scap__sockets *s, uint32_t i)
{
	s->v[s->v[i].newer].older = s->v[i].older;
	s->v[s->v[i].older].newer = s->v[i].newer;
}

/* Between two that follow each other. */
static void link_use(struct scap__sockets *s, uint32_t i, uint32_t newer, uint32_t older)
{
	s->v[i].newer = newer;
	s->v[i].older = older;
	s->v[newer].older = i;
	s->v[older].newer = i;
}

static uint32_t find(struct scap__sockets *s, uint32_t cookie)
{
	uint32_t i = *slot_of(s, cookie);

	while (i && s->v[i].cookie != cookie)
		i = s->v[i].next;
	return i;
}

static void forget(struct scap__sockets *s, uint32_t i)
{
	uint32_t *at = slot_of(s, s->v[i].cookie);

	while (*at != i)
		at = &s->v[*at].next;
	*at = s->v[i].next;
	unlink_use(s, i);
	s->n_dropped += !s->v[i].closed;
}

static uint32_t add(struct scap__sockets *s, uint32_t cookie)
{
	uint32_t *slot = slot_of(s, cookie), i;

	if (s->n < s->max) {
		i = ++s->n;
	} else {
		i = s->v[0].newer;	/* the ends of the list meet in entry 0 */
		forget(s, i);
	}
	s->v[i] = (struct scap__socket){ .cookie = cookie, .next = *slot };
	*slot = i;
	return i;
}

struct scap__socket *scap__sockets_get(struct scap__sockets *s, uint32_t cookie)
{
	uint32_t i = find(s, cookie);

	if (i)
		unlink_use(s, i);
	else
		i = add(s, cookie);
	link_use(s, i, 0, s->v[0].older);
	s->v[i].closed = false;
	return &s->v[i];
}

void scap__sockets_close(struct scap__sockets *s, uint32_t cookie)
{
	uint32_t i = find(s, cookie);

	if (!i)
		return;
	unlink_use(s, i);
	link_use(s, i, s->v[0].newer, 0);
	s->v[i].closed = true;
}

/* ---- what they carry ----------------------------------------------------------------------- */

/* A status line that has begun goes on, whatever is read meanwhile. */
void scap__http_read(struct scap__socket *s, uint64_t ns)
{
	if (s->state != BEGINNING) {
		s->state = BEGINNING;
		s->n_matched = 0;
	}
	if (!s->request_ns)
		s->request_ns = ns;
}

bool scap__http_waits(const struct scap__socket *s)
{
	return s->state != BEHIND;
}

static bool fits(unsigned at, uint8_t c)
{
	static const char line[] = "HTTP/1.";

	if (at < sizeof(line) - 1)
		return c == line[at];
	if (at == sizeof(line) - 1)
		return c == '0' || c == '1';
	return at < STATUS_AT ? c == ' ' : c >= '0' && c <= '9';
}

static void give_up(struct scap__socket *s)
{
	s->state = BEHIND;
	s->request_ns = 0;
}

/* A further byte of what may be a status line: its status, when it is whole. */
static unsigned begin_with(struct scap__socket *s, uint8_t c)
{
	if (!fits(s->n_matched, c)) {
		give_up(s);
		return 0;
	}
	if (s->n_matched >= STATUS_AT)
		s->status = s->n_matched == STATUS_AT ? c - '0' : s->status * 10 + c - '0';
	if (++s->n_matched < STATUS_END)
		return 0;
	s->n_matched = 0;
	s->state = s->status / 100 == 1 ? INTERIM : BEHIND;
	return s->state == BEHIND ? s->status : 0;
}

/* A further byte of an interim header: an empty line ends it. */
static void pass_header(struct scap__socket *s, uint8_t c)
{
	if (c == '\n')
		s->n_matched++;
	else if (c != '\r')
		s->n_matched = 0;
	if (s->n_matched < 2)
		return;
	s->state = BEGINNING;
	s->n_matched = 0;
}

/* Bytes that are not known. Those of an interim header are taken for all of its rest. */
static void skip(struct scap__socket *s)
{
	if (s->state == INTERIM)
		s->state = BEGINNING;
	else
		give_up(s);
	s->n_matched = 0;
}

void scap__http_write(struct scap__socket *s, const uint8_t *data, size_t n, size_t total,
		      struct scap__http_found *ret)
{
	*ret = (struct scap__http_found){ 0 };
	for (size_t i = 0; i < n && s->state != BEHIND; i++) {
		if (s->state == INTERIM) {
			pass_header(s, data[i]);
			continue;
		}
		ret->status = begin_with(s, data[i]);
		ret->n_interim += s->state == INTERIM;
		if (ret->status)
			return;
	}
	if (n < total && s->state != BEHIND)
		skip(s);
}
