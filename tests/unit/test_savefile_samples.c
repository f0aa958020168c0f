/* SPDX-License-Identifier: MIT */
/*
 * Captures that sysdig made. They are no part of the project: SCAP_SAMPLES names their directory,
 * otherwise it is ../shared/samples; without it there is nothing to test.
 */
#include <criterion/criterion.h>
#include <scap/filter.h>
#include <scap/print.h>
#include <scap/reader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/event.h"

struct expected {
	uint64_t num;		/* 0: the end of the list */
	uint32_t tid;
	const char *comm;	/* NULL: not known */
	const char *text;	/* behind time, CPU and process */
};

static bool sample_path(char *to, size_t cap, const char *name)
{
	const char *dir = getenv("SCAP_SAMPLES");

	snprintf(to, cap, "%s/%s", dir ? dir : "../shared/samples", name);
	return !access(to, R_OK);
}

static void check_event(const struct scap_event *ev, const struct expected *e)
{
	char buf[4096];
	const char *comm = scap_event_comm(ev), *at;

	cr_assert_eq(scap_event_tid(ev), e->tid, "event %llu: thread %u",
		     (unsigned long long)e->num, scap_event_tid(ev));
	cr_assert_eq(!comm, !e->comm);
	if (comm)
		cr_assert_str_eq(comm, e->comm);
	scap_print_text(ev, NULL, buf, sizeof(buf));
	at = strstr(buf, ") ");
	cr_assert_not_null(at);
	cr_assert_eq(strncmp(at + 2, e->text, strlen(e->text)), 0, "event %llu: %s",
		     (unsigned long long)e->num, at + 2);
}

/* No damage, so many events, and these among them. */
static void check_sample(const char *name, uint64_t n_events, const struct expected *e)
{
	const struct scap_event *ev;
	struct scap_reader *r;
	struct scap_error err;
	uint64_t n = 0;
	char path[512];
	int rc;

	if (!sample_path(path, sizeof(path), name))
		cr_skip_test("no samples");
	cr_assert_eq(scap_reader_open_path(path, NULL, &r, &err), 0, "%s", err.text);
	while ((rc = scap_reader_next(r, &ev)) == 0) {
		cr_assert_neq(ev->type, SCAP_REC_GAP);
		cr_assert_eq(scap_event_num(ev), ++n);
		if (n == e->num)
			check_event(ev, e++);
	}
	cr_assert_eq(rc, 1, "%s", rc < 0 ? scap_reader_error(r)->text : "");
	cr_assert_eq(n, n_events, "%llu events", (unsigned long long)n);
	cr_assert_eq(e->num, 0);
	cr_assert(scap_reader_info(r)->complete);
	scap_reader_close(r);
}

Test(samples, cat)
{
	static const struct expected e[] = {
		{ 1, 20072, "cat", "procexec - argv=[\"cat\", \"/dev/null\"]" },
		{ 4, 20072, "cat", "access 3.1us name=/etc/ld.so.nohwcap mode=F_OK "
			"res=ENOENT(-2)" },
		{ 29, 20072, "cat", "brk 1.1us brk=0x947000 res=0x947000" },
		{ 35, 20072, "cat", "open 9.0us name=/dev/null flags=O_RDONLY res=3</dev/null>" },
		{ 39, 20072, "cat", "read 532ns fd=3</dev/null> data=\"\" size=131072 res=0" },
		{ 45, 20072, "cat", "procexit - status=exited(0)" },
		{ 0 },
	};

	check_sample("falco-cat-write.scap", 45, e);
}

Test(samples, empty)
{
	static const struct expected none[] = { { 0 } };

	check_sample("falco-empty.scap", 0, none);
}

Test(samples, ping)
{
	static const struct expected e[] = {
		{ 1, 738, NULL, "sendmsg 85.3us fd=3<0.0.0.0:1->128.32.41.1:0> msg=\"" },
		{ 0 },
	};

	check_sample("falco-ping-sendto.scap", 10, e);
}

Test(samples, curl)
{
	static const struct expected e[] = {
		{ 2, 17497, "curl", "execve - filename=<unreadable> argv=[\"curl\", \"-6\", "
			"\"http://www.google.com\"] res=0 [no entry]" },
		{ 225, 17497, "curl", "close 265ns fd=3</lib/x86_64-linux-gnu/libkeyutils.so.1> "
			"res=0" },
		{ 379, 17497, "curl", "close 220ns fd=5<pipe:[38688]> res=0" },
		{ 393, 17497, "curl", "clock_gettime 322ns res=?" },
		{ 407, 17497, "curl", "clone 7.4us flags=CLONE_VM|CLONE_FS|CLONE_FILES|"
			"CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_PARENT_SETTID res=17498" },
		{ 427, 17498, "curl", "connect 9.7us fd=4<->/var/run/nscd/socket> "
			"addr=/var/run/nscd/socket res=ENOENT(-2)" },
		{ 0 },
	};

	check_sample("libs-curl-google.scap", 628, e);
}

Test(samples, ipv6)
{
	static const struct expected e[] = {
		{ 1, 25886, NULL, "socket 7.1us domain=AF_INET6 type=SOCK_STREAM "
			"proto=IPPROTO_TCP res=3<[::]:0>" },
		{ 10, 25886, NULL, "accept 3.1s res=4<[2001:db8::3]:1234->[2001:db8::4]:54405>" },
		{ 11, 25888, NULL, "connect 84.8us fd=3<[2001:db8::4]:54405->[2001:db8::3]:1234> "
			"addr=[2001:db8::3]:1234 res=EINPROGRESS(-115)" },
		{ 0 },
	};

	check_sample("libs-single-ipv6-conn.scap", 14, e);
}

/* 172065 entries and 148883 exits. */
Test(samples, mixed)
{
	static const struct expected e[] = {
		{ 316, 164, "sh", "openat 133us dirfd=AT_FDCWD name=/etc/localtime "
			"flags=O_RDONLY|O_CLOEXEC res=ENOENT(-2)" },
		{ 363, 167, "exe", "procexec - filename=/proc/self/exe argv=[\"busybox\", "
			"\"wget\", \"-q\", \"-O\"" },
		{ 437, 161, "busybox", "accept - res=4<127.0.0.1:8080->127.0.0.1:60048> "
			"[no entry]" },
		{ 503, 171, "busybox", "read 4.7ms fd=0<127.0.0.1:8080->127.0.0.1:60048> "
			"data=\"GET /f0.txt HTTP/1.1\\r\\n" },
		{ 1119, 179, "hi", "openat 97.5us dirfd=AT_FDCWD</tmp/www/cgi-bin> name=hi "
			"resolved=/tmp/www/cgi-bin/hi flags=O_RDONLY|O_CLOEXEC "
			"res=3</tmp/www/cgi-bin/hi>" },
		{ 0 },
	};

	check_sample("mixed.scap.zst", 176404, e);
}
