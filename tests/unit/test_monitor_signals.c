/* SPDX-License-Identifier: MIT */
/* Golden signals: what is counted for whom. */
#include <criterion/criterion.h>
#include <errno.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/monitor.h"
#include "support_monitor.h"

#define MS 1000000ull

enum { FILE_ = 1, INET = 2, UNIX = 3, PIPE = 4, DATAGRAM = 5, INET6 = 6 };

static void begin(struct watched *w, uint32_t max_programs)
{
	watched_init(w, NULL, 0, SCAP_MONITOR_SIGNALS, max_programs, 0);
	watched_file(w, 0, FILE_, SCAP_KIND_FILE, false);
	watched_file(w, 0, INET, SCAP_KIND_INET, false);
	watched_file(w, 0, UNIX, SCAP_KIND_UNIX, false);
	watched_file(w, 0, PIPE, SCAP_KIND_FIFO, false);
	watched_file(w, 0, DATAGRAM, SCAP_KIND_INET, true);
	watched_file(w, 0, INET6, SCAP_KIND_INET6, false);
}

/* That of a name, from what is in the slices so far. */
static struct scap_signals of(struct watched *w, const char *comm, uint64_t cgroup_id)
{
	struct scap_signals s;

	cr_assert_eq(watched_slice(w), 0);
	for (uint32_t i = 0; !scap_monitor_signals(w->m, i, &s); i++)
		if (!strcmp(s.comm, comm) && s.cgroup_id == cgroup_id)
			return s;
	cr_assert_fail("no %s in %lu", comm, cgroup_id);
	return s;
}

static void call(struct watched *w, uint32_t tid, const char *name, int64_t ret, uint32_t cookie,
		 uint32_t cookie2)
{
	watched_call(w, &(struct made_call){ .tid = tid, .name = name, .ret = ret,
					     .cookie = cookie, .cookie2 = cookie2 });
}

Test(signals, calls_and_errors)
{
	struct scap_signals s;
	struct watched w;

	begin(&w, 0);
	watched_intro(&w, 0, 100, "httpd", 7);
	call(&w, 100, "getpid", 100, 0, 0);
	call(&w, 100, "openat", -ENOENT, 0, 0);
	call(&w, 100, "openat", -ENOENT, 0, 0);
	call(&w, 100, "mmap", -4096, 0, 0);		/* an address */
	call(&w, 100, "mmap", (int64_t)0x7f0012340000, 0, 0);
	call(&w, 100, "read", -512, INET, 0);		/* restarted */
	call(&w, 100, "futex", -133, 0, 0);
	call(&w, 100, "futex", -132, 0, 0);
	call(&w, 100, "rt_sigreturn", -4, 0, 0);	/* its result means nothing */
	s = of(&w, "httpd", 7);
	cr_assert_eq(s.n_calls, 9);
	cr_assert_eq(s.failed[ENOENT], 2);
	cr_assert_eq(s.failed[132], 1);
	cr_assert_eq(s.failed[133], 2);
	cr_assert_eq(s.n_failed, 5 + s.failed[4]);
	watched_fini(&w);
}

Test(signals, bytes)
{
	struct scap_signals s;
	struct watched w;

	begin(&w, 0);
	watched_intro(&w, 0, 100, "httpd", 7);
	call(&w, 100, "read", 1, FILE_, 0);
	call(&w, 100, "pread64", 10, FILE_, 0);
	call(&w, 100, "readv", 5000000000, FILE_, 0);	/* more than 32 bits */
	call(&w, 100, "write", 100, FILE_, 0);
	call(&w, 100, "pwritev2", 1000, FILE_, 0);
	call(&w, 100, "read", 2, INET, 0);
	call(&w, 100, "recvfrom", 20, DATAGRAM, 0);
	call(&w, 100, "recvmsg", 200, INET6, 0);
	call(&w, 100, "write", 3, INET, 0);
	call(&w, 100, "sendmsg", 30, INET6, 0);
	call(&w, 100, "read", 7, UNIX, 0);		/* neither one nor the other */
	call(&w, 100, "write", 7, PIPE, 0);
	call(&w, 100, "write", 7, 99, 0);		/* nobody knows what it is */
	call(&w, 100, "write", -EAGAIN, INET, 0);
	watched_call(&w, &(struct made_call){ .tid = 100, .name = "recvfrom", .ret = 20,
					      .cookie = INET, .args = { [3] = 0x2 }, .nargs = 6 });
	call(&w, 100, "lseek", 7, FILE_, 0);		/* no bytes */
	s = of(&w, "httpd", 7);
	cr_assert_eq(s.file_in, 5000000011);
	cr_assert_eq(s.file_out, 1100);
	cr_assert_eq(s.net_in, 222);
	cr_assert_eq(s.net_out, 33);
	call(&w, 100, "sendfile", 10000, INET, FILE_);
	s = of(&w, "httpd", 7);
	cr_assert_eq(s.file_in, 5000010011);
	cr_assert_eq(s.net_out, 10033);
	call(&w, 100, "splice", 10000, FILE_, PIPE);
	call(&w, 100, "splice", 20000, PIPE, INET);
	call(&w, 100, "copy_file_range", 5, FILE_, FILE_);
	s = of(&w, "httpd", 7);
	cr_assert_eq(s.file_in, 5000020016);
	cr_assert_eq(s.file_out, 1105);
	cr_assert_eq(s.net_out, 30033);
	watched_fini(&w);
}

/* The result is a number of messages; of the first the record tells how long it was. */
Test(signals, messages)
{
	struct made_call c = { .tid = 100, .ret = 3, .cookie = DATAGRAM, .data = "abc", .n = 3,
			       .orig = 1200, .state = SCAP_STATE_TRUNCATED };
	struct scap_signals s;
	struct watched w;

	begin(&w, 0);
	watched_intro(&w, 0, 100, "quic", 7);
	for (unsigned abi = 0; abi < SCAP_ABIS; abi++) {
		c.abi = abi;
		c.name = "sendmmsg";
		watched_call(&w, &c);
		c.name = "recvmmsg";
		watched_call(&w, &c);
	}
	c.data = NULL;
	watched_call(&w, &c);
	s = of(&w, "quic", 7);
	cr_assert_eq(s.net_out, 3600);
	cr_assert_eq(s.net_in, 3600);
	watched_fini(&w);
}

Test(signals, refused)
{
	struct made_call c = { .tid = 100, .abi = SCAP_ABI_I386, .name = "socketcall",
			       .args = { 3 }, .ret = -ECONNREFUSED };
	struct scap_signals s;
	struct watched w;

	begin(&w, 0);
	watched_intro(&w, 0, 100, "curl", 7);
	call(&w, 100, "connect", -ECONNREFUSED, INET, 0);
	call(&w, 100, "connect", -EINPROGRESS, INET, 0);
	call(&w, 100, "connect", 0, INET, 0);
	call(&w, 100, "read", -ECONNREFUSED, INET, 0);
	watched_call(&w, &c);
	c.args[0] = 9;	/* send */
	watched_call(&w, &c);
	c.name = "connect";
	watched_call(&w, &c);
	s = of(&w, "curl", 7);
	cr_assert_eq(s.n_refused, 3);
	cr_assert_eq(s.failed[ECONNREFUSED], 5);
	watched_fini(&w);
}

/* ---- who ----------------------------------------------------------------------------------- */

Test(signals, by_name_and_cgroup)
{
	struct watched w;

	begin(&w, 0);
	watched_intro(&w, 0, 100, "httpd", 7);
	watched_intro(&w, 0, 101, "httpd", 8);
	watched_intro(&w, 0, 102, "httpd", 7);
	call(&w, 100, "getpid", 1, 0, 0);
	call(&w, 101, "getpid", 1, 0, 0);
	call(&w, 102, "getpid", 1, 0, 0);
	call(&w, 103, "getpid", 1, 0, 0);	/* not introduced */
	cr_assert_eq(of(&w, "httpd", 7).n_calls, 2);
	cr_assert_eq(of(&w, "httpd", 8).n_calls, 1);
	cr_assert_eq(of(&w, "", 0).n_calls, 1);
	watched_intro(&w, 0, 100, "other", 7);	/* it did exec */
	call(&w, 100, "getpid", 1, 0, 0);
	call(&w, 102, "getpid", 1, 0, 0);
	cr_assert_eq(of(&w, "other", 7).n_calls, 1);
	cr_assert_eq(of(&w, "httpd", 7).n_calls, 3);
	watched_fini(&w);
}

/* From its place on, within a slice, too. */
Test(signals, new_names)
{
	struct watched w;

	begin(&w, 0);
	watched_intro(&w, 0, 100, "old", 7);
	call(&w, 100, "read", 10, FILE_, 0);
	watched_intro(&w, 0, 100, "new", 7);
	watched_file(&w, 0, FILE_, SCAP_KIND_INET, false);
	call(&w, 100, "read", 20, FILE_, 0);
	cr_assert_eq(of(&w, "old", 7).file_in, 10);
	cr_assert_eq(of(&w, "new", 7).file_in, 0);
	cr_assert_eq(of(&w, "new", 7).net_in, 20);
	watched_fini(&w);
}

/* Its own ring's introduction counts, then any ring's; none is used in another epoch. */
Test(signals, rings_and_epochs)
{
	struct watched w;

	begin(&w, 0);
	watched_intro(&w, 0, 100, "a", 1);
	watched_intro(&w, 2, 100, "b", 1);
	watched_call(&w, &(struct made_call){ .ring = 0, .tid = 100, .name = "getpid" });
	watched_call(&w, &(struct made_call){ .ring = 2, .tid = 100, .name = "getpid" });
	watched_call(&w, &(struct made_call){ .ring = 3, .tid = 100, .name = "getpid" });
	cr_assert_eq(of(&w, "a", 1).n_calls, 1);
	cr_assert_eq(of(&w, "b", 1).n_calls, 2);
	watched_call(&w, &(struct made_call){ .ring = 0, .tid = 100, .name = "getpid" });
	cr_assert_eq(of(&w, "a", 1).n_calls, 2);
	watched_call(&w, &(struct made_call){ .ring = 0, .tid = 100, .name = "getpid" });
	{
		struct scap_slice_part parts[4];
		struct scap_slice s;

		watched_fill(&w, MONITOR_T0 + SCAP_EPOCH_NS, MONITOR_T0 + SCAP_EPOCH_NS + 1, &s,
			     parts);
		cr_assert_eq(scap_monitor_slice(w.m, &s), 0);
		w.rings[0].n = 0;
	}
	cr_assert_eq(of(&w, "a", 1).n_calls, 2);
	cr_assert_eq(of(&w, "", 0).n_calls, 1);
	watched_fini(&w);
}

Test(signals, more_programs_than_there_is_room_for)
{
	struct scap_monitor_totals t;
	struct scap_signals s;
	struct watched w;
	char comm[16];

	begin(&w, 100);
	for (uint32_t i = 0; i < 10000; i++) {
		snprintf(comm, sizeof(comm), "p%u", i);
		watched_intro(&w, 0, 1000 + i, comm, i % 10);
		call(&w, 1000 + i, "getpid", 1, 0, 0);
	}
	cr_assert_eq(of(&w, "p99", 9).n_calls, 1);
	cr_assert_eq(of(&w, "", 0).n_calls, 9900);
	cr_assert_eq(scap_monitor_signals(w.m, 100, &s), 0);
	cr_assert_eq(scap_monitor_signals(w.m, 101, &s), 1);
	scap_monitor_totals(w.m, &t);
	cr_assert_eq(t.n_programs_dropped, 9900);
	watched_fini(&w);
}

/* The most that names may take in an epoch is told, and numbers stay right. */
Test(signals, more_names_than_there_is_memory_for)
{
	struct scap_monitor_totals t;
	struct watched w;
	unsigned n = 0;
	int rc = 0;

	watched_init(&w, NULL, 0, SCAP_MONITOR_SIGNALS, 0, 0);
	for (uint32_t tid = 1; !rc && tid < 4000000; ) {
		for (unsigned i = 0; i < 10000; i++)
			watched_intro(&w, 0, tid++, "x", 1);
		watched_call(&w, &(struct made_call){ .name = "getpid" });
		n++;
		w.ns = MONITOR_T0 + 1000;
		rc = watched_slice(&w);
	}
	cr_assert_eq(rc, -ENOMEM);
	scap_monitor_totals(w.m, &t);
	cr_assert_eq(t.n_events, n);
	watched_fini(&w);
}

/* ---- latency ------------------------------------------------------------------------------- */

Test(signals, bounds)
{
	static const uint64_t ms10[] = { 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000,
					 100000 };

	for (unsigned i = 0; i < SCAP_SIGNAL_BUCKETS; i++)
		cr_assert_eq(scap_signal_bound(i), ms10[i] * 100000);
	cr_assert_eq(scap_signal_bound(SCAP_SIGNAL_BUCKETS), UINT64_MAX);
}

/* A request in two reads, the answer `ns` after the first. */
static void exchange(struct watched *w, uint64_t ns)
{
	uint64_t begin_ns;

	watched_read(w, INET, "GET / HT");
	begin_ns = w->ns;
	watched_read(w, INET, "TP/1.1\r\n\r\n");
	w->ns = begin_ns + ns - 1000;
	watched_write(w, INET, "HTTP/1.1 200 OK\r\n\r\n");
	watched_write(w, INET, "body");
}

Test(signals, latency)
{
	struct scap_signals s;
	struct watched w;

	begin(&w, 0);
	watched_intro(&w, 0, 100, "httpd", 7);
	exchange(&w, 1 * MS);		/* the bound belongs to its bucket */
	exchange(&w, 1 * MS + 1);
	exchange(&w, 90 * MS);
	exchange(&w, 100 * MS);
	s = of(&w, "httpd", 7);
	cr_assert_eq(s.http[2], 4);
	cr_assert_eq(s.n_http_latency, 4);
	cr_assert_eq(s.http_latency[0], 1);
	cr_assert_eq(s.http_latency[1], 1);
	cr_assert_eq(s.http_latency[6], 2);
	cr_assert_eq(s.http_latency_ns, 192 * MS + 1);
	watched_fini(&w);
}

/* Sockets stay what they are over epochs; without a request there is no latency. */
Test(signals, latency_of_minutes)
{
	struct scap_signals s;
	struct watched w;

	begin(&w, 0);
	watched_intro(&w, 0, 100, "httpd", 7);
	watched_write(&w, INET6, "HTTP/1.1 200 OK\r\n\r\n");
	watched_read(&w, INET, "GET / HTTP/1.1\r\n\r\n");
	cr_assert_eq(watched_slice(&w), 0);
	w.ns += 11000 * MS;
	watched_write(&w, INET, "HTTP/1.1 200 OK\r\n\r\n");
	s = of(&w, "httpd", 7);
	cr_assert_eq(s.http[2], 2);
	cr_assert_eq(s.n_http_latency, 1);
	cr_assert_eq(s.http_latency[SCAP_SIGNAL_BUCKETS], 1);
	watched_fini(&w);
}

/* ---- all day ------------------------------------------------------------------------------- */

/* What a slice needed once it needs again; nothing grows. */
Test(signals, memory_is_constant)
{
	static const struct scap_condition c = { .kind = SCAP_CONDITION_HTTP_5XX };
	size_t before = 0;
	struct watched w;
	char comm[16];

	watched_init(&w, &c, 1, SCAP_MONITOR_SIGNALS, 50, 100);
	for (uint32_t i = 0; i < 400; i++) {
		for (uint32_t k = 0; k < 50; k++) {
			uint32_t id = i * 50 + k + 1;

			snprintf(comm, sizeof(comm), "p%u", id);
			watched_intro(&w, 0, id, comm, id);
			watched_file(&w, 0, id, SCAP_KIND_INET, false);
			watched_call(&w, &(struct made_call){ .tid = id, .name = "write", .ret = 16,
					.cookie = id, .data = "HTTP/1.1 500 \r\n\r\n", .n = 16 });
		}
		w.ns += SCAP_EPOCH_NS;
		{
			struct scap_slice_part parts[4];
			struct scap_slice s;

			watched_fill(&w, MONITOR_T0 + i * SCAP_EPOCH_NS,
				     MONITOR_T0 + (i + 1) * SCAP_EPOCH_NS, &s, parts);
			cr_assert_eq(scap_monitor_slice(w.m, &s), 0);
			w.rings[0].n = 0;
		}
		if (i == 100)
			before = w.m->names.used;
	}
	cr_assert_eq(w.m->names.used, before);
	cr_assert_eq(w.n_fired, 20000);
	watched_fini(&w);
}

static atomic_bool stop;

static void *look(void *m)
{
	struct scap_monitor_totals t;
	struct scap_signals s;
	uint64_t last = 0;

	while (!stop) {
		cr_assert_eq(scap_monitor_signals(m, 1, &s), 0);
		scap_monitor_totals(m, &t);
		cr_assert_geq(s.n_calls, last);
		cr_assert_eq(s.n_calls % 10, 0);	/* whole slices */
		last = s.n_calls;
	}
	return NULL;
}

Test(signals, another_thread_looks)
{
	struct watched w;
	pthread_t t;

	begin(&w, 0);
	watched_intro(&w, 0, 100, "httpd", 7);
	cr_assert_eq(watched_slice(&w), 0);
	cr_assert_eq(pthread_create(&t, NULL, look, w.m), 0);
	for (unsigned i = 0; i < 2000; i++) {
		for (unsigned k = 0; k < 10; k++)
			call(&w, 100, "getpid", 1, 0, 0);
		w.ns = MONITOR_T0 + 100000000;
		cr_assert_eq(watched_slice(&w), 0);
	}
	stop = true;
	pthread_join(t, NULL);
	cr_assert_eq(of(&w, "httpd", 7).n_calls, 20000);
	watched_fini(&w);
}
