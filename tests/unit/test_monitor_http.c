/* SPDX-License-Identifier: MIT */
/* Which writes are responses, and which of them are 5xx. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support_monitor.h"

#define SOCK 7
#define RESPONSE_500 "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno"
#define RESPONSE_200 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static const struct scap_condition http_5xx = { .kind = SCAP_CONDITION_HTTP_5XX };

static void begin(struct watched *w)
{
	watched_init(w, &http_5xx, 1, SCAP_MONITOR_SIGNALS, 0, 0);
	watched_intro(w, 0, 100, "httpd", 7);
	watched_file(w, 0, SOCK, SCAP_KIND_INET, false);
}

static void request(struct watched *w)
{
	watched_read(w, SOCK, "GET / HTTP/1.1\r\n\r\n");
}

static void written(struct watched *w, const char *data)
{
	watched_write(w, SOCK, data);
}

/* Ends a test: how often it fired, and how many responses of which hundred there were. */
static void expect(struct watched *w, size_t n_fired, const uint64_t http[6])
{
	struct scap_signals s;

	cr_assert_eq(watched_slice(w), 0);
	cr_assert_eq(w->n_fired, n_fired, "fired %zu times, not %zu", w->n_fired, n_fired);
	cr_assert_eq(scap_monitor_signals(w->m, 1, &s), 0);
	cr_assert_str_eq(s.comm, "httpd");
	for (unsigned i = 0; i < 6; i++)
		cr_assert_eq(s.http[i], http[i], "%lu of %uxx", s.http[i], i);
	watched_fini(w);
}

#define EXPECT(w, fired, ...) expect(w, fired, (const uint64_t[6]){ __VA_ARGS__ })

Test(http, whole)
{
	static const char *const all[] = {
		RESPONSE_500, "HTTP/1.0 502 Bad Gateway\r\n\r\n", "HTTP/1.1 599\r\n\r\n",
		"HTTP/1.1 503 ",
	};
	struct watched w;

	for (unsigned i = 0; i < 4; i++) {
		begin(&w);
		request(&w);
		written(&w, all[i]);
		EXPECT(&w, 1, 0, 0, 0, 0, 0, 1);
	}
}

Test(http, not_a_5xx)
{
	static const char *const all[] = {
		RESPONSE_200, "HTTP/1.0 404 Not Found\r\n\r\n", "HTTP/1.1 600 \r\n\r\n",
		"HTTP/2.0 500 x\r\n\r\n", "HTTP/1.1 5x0 x\r\n\r\n", "http/1.1 500 x\r\n\r\n",
		" HTTP/1.1 500 x\r\n\r\n", "HTTP/1.1  500 x\r\n\r\n",
		"HTTP/1.2 500\r\n\r\n", "HTTP/1.1 50",
	};
	struct watched w;

	for (unsigned i = 0; i < 10; i++) {
		begin(&w);
		request(&w);
		written(&w, all[i]);
		EXPECT(&w, 0, i == 2, 0, i == 0, 0, i == 1, 0);
	}
}

/* In two pieces, at each byte; on two CPUs; in two slices. */
Test(http, split_anywhere)
{
	size_t n = strlen(RESPONSE_500);

	for (size_t cut = 1; cut < n; cut++)
		for (unsigned way = 0; way < 3; way++) {
			struct watched w;

			begin(&w);
			watched_intro(&w, 2, 100, "httpd", 7);
			watched_file(&w, 2, SOCK, SCAP_KIND_INET, false);
			request(&w);
			watched_call(&w, &(struct made_call){
				.ring = way == 1 ? 2 : 0, .tid = 100, .name = "write",
				.ret = (int64_t)cut, .cookie = SOCK, .data = RESPONSE_500,
				.n = cut });
			if (way == 2)
				cr_assert_eq(watched_slice(&w), 0);
			written(&w, RESPONSE_500 + cut);
			EXPECT(&w, 1, 0, 0, 0, 0, 0, 1);
		}
}

static void byte_by_byte(struct watched *w, const char *data)
{
	for (; *data; data++)
		written(w, (const char[2]){ *data, 0 });
}

Test(http, byte_by_byte)
{
	struct watched w;

	begin(&w);
	request(&w);
	byte_by_byte(&w, RESPONSE_200);
	request(&w);
	byte_by_byte(&w, RESPONSE_500);
	EXPECT(&w, 1, 0, 0, 1, 0, 0, 1);
}

/* Somebody else reads meanwhile. */
Test(http, a_read_amid_the_status_line)
{
	struct watched w;

	begin(&w);
	request(&w);
	written(&w, "HTTP/1.1 5");
	request(&w);
	written(&w, "03 ");
	EXPECT(&w, 1, 0, 0, 0, 0, 0, 1);
}

/* As nginx does, to see whether the client is still there: the next request waits already. */
Test(http, what_is_only_looked_at)
{
	static const struct {
		const char *name;
		unsigned abi, nargs, flags;	/* flags: the argument */
		int64_t ret;
	} all[] = {
		{ "recvfrom", SCAP_ABI_X86_64, 6, 3, 18 }, { "recvmsg", SCAP_ABI_X86_64, 3, 2, 18 },
		{ "recvmmsg", SCAP_ABI_X86_64, 5, 3, 1 }, { "recvfrom", SCAP_ABI_I386, 6, 3, 18 },
		{ "recvmsg", SCAP_ABI_I386, 3, 2, 18 }, { "recvmmsg", SCAP_ABI_I386, 5, 3, 1 },
		{ "recvmmsg_time64", SCAP_ABI_I386, 5, 3, 1 },
		{ "recvfrom", SCAP_ABI_X32, 6, 3, 18 }, { "recvmsg", SCAP_ABI_X32, 3, 2, 18 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (unsigned peeks = 0; peeks < 2; peeks++) {
			struct made_call c = {
				.tid = 100, .name = all[i].name, .abi = all[i].abi,
				.nargs = all[i].nargs, .ret = all[i].ret, .cookie = SOCK,
				.data = "GET / HTTP/1.1\r\n\r\n", .n = 18,
			};
			struct watched w;

			/* All flags but MSG_PEEK, or it alone. */
			c.args[all[i].flags] = peeks ? 2 : 0xfffffffd;
			begin(&w);
			request(&w);
			written(&w, "HTTP/1.1 200 OK\r\n\r\n");
			watched_call(&w, &c);
			written(&w, RESPONSE_500);
			if (peeks)
				EXPECT(&w, 0, 0, 0, 1, 0, 0, 0);
			else
				EXPECT(&w, 1, 0, 0, 1, 0, 0, 1);
		}
}

Test(http, kept_alive)
{
	struct watched w;

	begin(&w);
	for (unsigned i = 0; i < 5; i++) {
		request(&w);
		written(&w, i == 3 ? RESPONSE_500 : RESPONSE_200);
	}
	EXPECT(&w, 1, 0, 0, 4, 0, 0, 1);
}

/* Headers by write, bodies that look like a response by every way there is. */
Test(http, bodies)
{
	struct watched w;

	begin(&w);
	watched_file(&w, 0, 8, SCAP_KIND_FILE, false);
	request(&w);
	written(&w, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	written(&w, RESPONSE_500);
	watched_call(&w, &(struct made_call){ .tid = 100, .name = "sendfile", .ret = 500,
					      .cookie = SOCK, .cookie2 = 8 });
	written(&w, RESPONSE_500);
	request(&w);
	watched_call(&w, &(struct made_call){ .tid = 100, .name = "sendfile", .ret = 500,
					      .cookie = SOCK, .cookie2 = 8 });
	written(&w, RESPONSE_500);
	request(&w);
	watched_call(&w, &(struct made_call){ .tid = 100, .name = "splice", .ret = 500,
					      .cookie = 8, .cookie2 = SOCK });
	written(&w, RESPONSE_500);
	request(&w);
	written(&w, "HTTP/1.0 500 \r\n\r\n");
	watched_call(&w, &(struct made_call){ .tid = 100, .name = "sendfile", .ret = 500,
					      .cookie = SOCK, .cookie2 = 8 });
	EXPECT(&w, 1, 0, 0, 1, 0, 0, 1);
}

Test(http, a_body_in_the_same_write)
{
	struct watched w;

	begin(&w);
	request(&w);
	written(&w, "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 500 no\r\n\r\n");
	EXPECT(&w, 0, 0, 0, 1, 0, 0, 0);
}

Test(http, interim_responses)
{
	struct watched w;

	begin(&w);
	request(&w);
	written(&w, "HTTP/1.1 100 Continue\r\n\r\n");
	written(&w, RESPONSE_500);
	request(&w);
	written(&w, "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" RESPONSE_500);
	request(&w);
	byte_by_byte(&w, "HTTP/1.1 100 Continue\r\nA: HTTP/1.1 500\r\n\r\n" RESPONSE_200);
	request(&w);
	written(&w, "HTTP/1.1 100 Continue\r\n\r\n");
	request(&w);	/* the body of the request */
	written(&w, RESPONSE_500);
	EXPECT(&w, 3, 0, 4, 1, 0, 0, 3);
}

/* What was asked for is not what was written. */
Test(http, short_and_failed_writes)
{
	struct made_call c = { .tid = 100, .name = "write", .cookie = SOCK, .data = RESPONSE_500,
			       .n = strlen(RESPONSE_500) };
	struct watched w;

	begin(&w);
	request(&w);
	c.ret = -11;
	watched_call(&w, &c);
	c.ret = 0;
	watched_call(&w, &c);
	c.ret = 10;	/* "HTTP/1.1 5" */
	watched_call(&w, &c);
	written(&w, "00 ");
	request(&w);
	c.ret = 5;
	watched_call(&w, &c);
	written(&w, "1.1 200 \r\n\r\n");
	EXPECT(&w, 1, 0, 0, 1, 0, 0, 1);
}

/* Of the bytes not all were kept. */
Test(http, truncated)
{
	struct made_call c = { .tid = 100, .name = "write", .cookie = SOCK, .ret = 100, .orig = 100,
			       .data = RESPONSE_500, .state = SCAP_STATE_TRUNCATED };
	struct watched w;

	begin(&w);
	request(&w);
	c.n = 12;	/* enough */
	watched_call(&w, &c);
	request(&w);
	c.n = 11;	/* not enough; what follows is no continuation */
	watched_call(&w, &c);
	written(&w, "0 ");
	request(&w);
	c.n = strlen(RESPONSE_500);
	c.state = SCAP_STATE_REDACTED;
	watched_call(&w, &c);
	request(&w);
	c = (struct made_call){ .tid = 100, .name = "write", .cookie = SOCK, .ret = 100 };
	watched_call(&w, &c);
	written(&w, RESPONSE_500);
	EXPECT(&w, 1, 0, 0, 0, 0, 0, 1);
}

Test(http, all_calls_of_all_abis)
{
	static const struct {
		const char *name;
		unsigned abi;
		int64_t ret;	/* 0: the size */
	} all[] = {
		{ "write", SCAP_ABI_X86_64, 0 }, { "writev", SCAP_ABI_X86_64, 0 },
		{ "sendto", SCAP_ABI_X86_64, 0 }, { "sendmsg", SCAP_ABI_X86_64, 0 },
		{ "sendmmsg", SCAP_ABI_X86_64, 1 }, { "sendmmsg", SCAP_ABI_X86_64, 3 },
		{ "write", SCAP_ABI_I386, 0 }, { "writev", SCAP_ABI_I386, 0 },
		{ "sendto", SCAP_ABI_I386, 0 }, { "sendmsg", SCAP_ABI_I386, 0 },
		{ "sendmmsg", SCAP_ABI_I386, 1 },
		{ "write", SCAP_ABI_X32, 0 }, { "writev", SCAP_ABI_X32, 0 },
		{ "sendmsg", SCAP_ABI_X32, 0 },
	};
	struct watched w;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		begin(&w);
		request(&w);
		watched_call(&w, &(struct made_call){
			.tid = 100, .abi = all[i].abi, .name = all[i].name, .cookie = SOCK,
			.ret = all[i].ret ? all[i].ret : (int64_t)strlen(RESPONSE_500),
			.data = RESPONSE_500, .n = strlen(RESPONSE_500) });
		EXPECT(&w, 1, 0, 0, 0, 0, 0, 1);
	}
}

/* One message is whole, what the others said is not known. */
Test(http, messages)
{
	struct made_call c = { .tid = 100, .name = "sendmmsg", .cookie = SOCK, .data = RESPONSE_500,
			       .n = 9 };
	struct watched w;

	begin(&w);
	request(&w);
	c.ret = 1;
	watched_call(&w, &c);
	written(&w, "500 ");
	request(&w);
	c.ret = 2;
	watched_call(&w, &c);
	written(&w, "500 ");
	EXPECT(&w, 1, 0, 0, 0, 0, 0, 1);
}

/* Both ends of a socketpair, each with its own file. The client's bytes are no response. */
Test(http, two_processes)
{
	struct watched w;

	begin(&w);
	watched_file(&w, 0, 8, SCAP_KIND_UNIX, false);
	watched_file(&w, 2, SOCK, SCAP_KIND_UNIX, false);
	watched_intro(&w, 2, 200, "client", 7);
	watched_call(&w, &(struct made_call){ .ring = 2, .tid = 200, .name = "write", .cookie = 8,
					      .ret = 14, .data = "GET / HTTP/1.1", .n = 14 });
	request(&w);
	written(&w, RESPONSE_500);
	watched_call(&w, &(struct made_call){ .ring = 2, .tid = 200, .name = "read", .cookie = 8,
					      .ret = 60, .data = RESPONSE_500, .n = 60 });
	EXPECT(&w, 1, 0, 0, 0, 0, 0, 1);
}

Test(http, neither_files_nor_datagrams)
{
	struct watched w;

	begin(&w);
	watched_file(&w, 0, 8, SCAP_KIND_FILE, false);
	watched_file(&w, 0, 9, SCAP_KIND_INET, true);
	watched_write(&w, 8, RESPONSE_500);
	watched_write(&w, 9, RESPONSE_500);
	watched_write(&w, 10, RESPONSE_500);	/* not introduced */
	watched_write(&w, 0, RESPONSE_500);
	EXPECT(&w, 0, 0);
}

Test(http, first_bytes_without_a_request_seen)
{
	struct watched w;

	begin(&w);
	written(&w, RESPONSE_500);
	written(&w, RESPONSE_500);	/* a body, as far as one can know */
	EXPECT(&w, 1, 0, 0, 0, 0, 0, 1);
}

Test(http, the_filter_and_the_rate)
{
	static const struct scap_condition c[] = {
		{ .kind = SCAP_CONDITION_HTTP_5XX, .filter = "proc.name=httpd" },
		{ .kind = SCAP_CONDITION_HTTP_5XX, .filter = "proc.name=nginx" },
		{ .kind = SCAP_CONDITION_HTTP_5XX, .count = 2, .window_ns = 100000 },
		{ .filter = "evt.type=write and evt.buffer contains 500" },
		{ .kind = SCAP_CONDITION_HTTP_5XX, .filter = "evt.num=2" },
	};
	static const struct { uint32_t condition; uint64_t num; } want[] = {
		{ 3, 2 }, { 0, 2 }, { 4, 2 }, { 3, 4 }, { 0, 4 }, { 2, 4 },
	};
	struct watched w;

	watched_init(&w, c, 5, 0, 0, 0);
	watched_intro(&w, 0, 100, "httpd", 7);
	watched_file(&w, 0, SOCK, SCAP_KIND_INET6, false);
	for (unsigned i = 0; i < 2; i++) {
		request(&w);
		written(&w, RESPONSE_500);
	}
	cr_assert_eq(watched_slice(&w), 0);
	cr_assert_eq(w.n_fired, 6);
	for (unsigned i = 0; i < 6; i++) {
		cr_assert_eq(w.fired[i].condition, want[i].condition);
		cr_assert_eq(w.fired[i].num, want[i].num);
	}
	watched_fini(&w);
}

/* ---- many ---------------------------------------------------------------------------------- */

static uint64_t n_dropped(struct watched *w)
{
	struct scap_monitor_totals t;

	scap_monitor_totals(w->m, &t);
	return t.n_sockets_dropped;
}

/* Those used last are followed; those that were closed are no loss. */
Test(http, more_sockets_than_there_is_room_for)
{
	struct watched w;

	watched_init(&w, &http_5xx, 1, 0, 0, 1000);
	for (uint32_t i = 1; i <= 100000; i++) {
		watched_file(&w, 0, i, SCAP_KIND_INET, false);
		watched_read(&w, i, "GET");
		watched_write(&w, i, "HTTP/1.1 5");
		if (i % 1000 == 0)
			cr_assert_eq(watched_slice(&w), 0);
	}
	cr_assert_eq(n_dropped(&w), 99000);
	for (uint32_t i = 100000; i > 98000; i--)
		watched_write(&w, i, "00 ");
	cr_assert_eq(watched_slice(&w), 0);
	cr_assert_eq(w.n_fired, 1000);
	cr_assert_eq(n_dropped(&w), 100000);
	watched_fini(&w);
}

Test(http, the_oldest_goes)
{
	struct watched w;

	watched_init(&w, &http_5xx, 1, 0, 0, 3);
	for (uint32_t i = 1; i <= 5; i++)
		watched_file(&w, 0, i, SCAP_KIND_INET, false);
	for (uint32_t i = 1; i <= 3; i++)
		watched_write(&w, i, "HTTP/1.1 5");
	watched_write(&w, 1, "0");
	watched_write(&w, 4, "HTTP/1.1 5");	/* 2 goes */
	watched_call(&w, &(struct made_call){ .name = "close", .cookie = 4 });
	watched_write(&w, 5, "HTTP/1.1 5");	/* 4 goes, which was closed */
	for (uint32_t i = 1; i <= 5; i++)
		if (i != 2 && i != 4)
			watched_write(&w, i, i == 1 ? "0" : "00");
	cr_assert_eq(watched_slice(&w), 0);
	cr_assert_eq(w.n_fired, 3);
	cr_assert_eq(n_dropped(&w), 1);
	watched_fini(&w);
}
