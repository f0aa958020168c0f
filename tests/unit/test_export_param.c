/* SPDX-License-Identifier: MIT */
/* What becomes of an event's parameters in a .scap file. */
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

#include "test_export_file.h"

#define U(x) ((uint64_t)(x))
#define X64 SCAP_ABI_X86_64
#define I386 SCAP_ABI_I386
#define SYSDIG SCAP_EXPORT_SYSDIG
#define FALCO SCAP_EXPORT_FALCO
#define CWD U(0xffffff9c)

static struct scap_event ev;
static struct scap__file file, file2;

Test(export_param, read)
{
	struct theirs t;

	test_call(&ev, X64, "read", 5, 3, U(3), U(0x7000), U(4096));
	test_str(&ev, 1, "hello");
	t = export_one(&ev, SYSDIG, 0);
	cr_expect_eq(t.type, 6);
	cr_expect_eq(t.ns, T0 - 12345);
	cr_expect_eq(t.tid, 4711);
	cr_expect_eq(t.cpu, 1);
	cr_expect_eq(t.n, 2);
	expect_number(&t, 0, 8, 3);
	expect_number(&t, 1, 4, 4096);
	t = event_nth(1);
	cr_expect_eq(t.type, 7);
	cr_expect_eq(t.ns, T0);
	cr_expect_eq(t.n, 2);
	expect_number(&t, 0, 8, 5);
	expect_bytes(&t, 1, "hello", 5);
	t = export_one(&ev, FALCO, 0);
	cr_expect_eq(t.type, 7);
	cr_expect_eq(t.n, 4);
	expect_number(&t, 2, 8, 3);
	expect_number(&t, 3, 4, 4096);
}

Test(export_param, open_flags_and_modes)
{
	struct theirs t;

	/* O_WRONLY | O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC */
	test_call(&ev, X64, "openat", 4, 4, CWD, U(0x1000), U(0x802c1), U(0644));
	test_str(&ev, 1, "new");
	test_file(&file, "/srv/new");
	file.dev = 8 << 20 | 0x301;
	ev.file = &file;
	t = export_one(&ev, FALCO, 0);
	cr_expect_eq(t.type, 307);
	cr_expect_eq(t.n, 7);
	expect_number(&t, 0, 8, 4);
	expect_number(&t, 1, 8, -100);
	expect_string(&t, 2, "new");
	expect_number(&t, 3, 4, 0x2 | 0x4 | 0x20 | 0x100 | 0x1000);
	expect_number(&t, 4, 4, 0644);
	expect_number(&t, 5, 4, 0x300801);	/* minor in two pieces */
	expect_number(&t, 6, 8, 77);
	/* No mode where nothing is created, no device where nothing was opened. */
	test_call(&ev, X64, "openat", -2, 4, CWD, U(0x1000), U(0), U(0777));
	test_str(&ev, 1, "old");
	t = export_one(&ev, SYSDIG, 1);
	cr_expect_eq(t.n, 6);
	expect_number(&t, 0, 8, -2);
	expect_number(&t, 3, 4, 1);
	expect_number(&t, 4, 4, 0);
	expect_number(&t, 5, 4, 0);
}

Test(export_param, a_path_not_recorded)
{
	struct theirs t;

	test_file(&file, "/etc/passwd");
	test_call(&ev, X64, "open", 4, 3, U(0x1000), U(0), U(0));
	ev.file = &file;
	t = export_one(&ev, FALCO, 0);
	expect_string(&t, 1, "/etc/passwd");
	test_call(&ev, X64, "open", -14, 3, U(0x1000), U(0), U(0));
	t = export_one(&ev, FALCO, 0);
	cr_expect_eq(t.lens[1], 0);
	t = export_one(&ev, SYSDIG, 0);
	expect_string(&t, 0, "<NA>");
}

Test(export_param, openat2)
{
	/* O_RDWR | O_CREAT, 0600, RESOLVE_BENEATH | RESOLVE_NO_XDEV */
	static const uint64_t how[3] = { 0x42, 0600, 0x9 };
	struct theirs t;

	test_call(&ev, X64, "openat2", 4, 4, CWD, U(0x1000), U(0x2000), U(24));
	test_str(&ev, 1, "x");
	test_blob(&ev, 2, SCAP_STATE_WHOLE, how, sizeof(how), sizeof(how));
	t = export_one(&ev, FALCO, 0);
	cr_expect_eq(t.type, 327);
	cr_expect_eq(t.n, 8);
	expect_number(&t, 3, 4, 0x3 | 0x4);
	expect_number(&t, 4, 4, 0600);
	expect_number(&t, 5, 4, 0x1 | 0x10);
}

static struct sockaddr_in inet(const char *ip, unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	memcpy(&a.sin_addr, ip, 4);
	return a;
}

Test(export_param, connect)
{
	struct sockaddr_in to = inet("\x7f\0\0\2", 80);
	struct theirs t;

	test_sock(&file, 40000, 80);
	test_call(&ev, X64, "connect", 0, 3, U(3), U(0x1000), U(16));
	test_blob(&ev, 1, SCAP_STATE_WHOLE, &to, sizeof(to), sizeof(to));
	ev.file = &file;
	t = export_one(&ev, SYSDIG, 0);
	cr_expect_eq(t.type, 22);
	expect_bytes(&t, 1, "\2\x7f\0\0\2\x50\0", 7);
	t = event_nth(1);
	cr_expect_eq(t.type, 23);
	cr_expect_eq(t.n, 2);
	expect_bytes(&t, 1, "\2\x7f\0\0\1\x40\x9c\x7f\0\0\2\x50\0", 13);
}

Test(export_param, accept_is_told_from_the_caller)
{
	struct theirs t;

	test_sock(&file, 80, 40000);
	test_call(&ev, X64, "accept4", 5, 4, U(3), U(0), U(0), U(0x80800));
	ev.file = &file;
	t = export_one(&ev, FALCO, 0);
	cr_expect_eq(t.type, 389);
	cr_expect_eq(t.n, 6);
	expect_bytes(&t, 1, "\2\x7f\0\0\2\x40\x9c\x7f\0\0\1\x50\0", 13);
	expect_number(&t, 2, 1, 0);
	expect_number(&t, 5, 4, 0x1040);
}

Test(export_param, unix_and_inet6_addresses)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/run/x" };
	struct sockaddr_un abstract = { .sun_family = AF_UNIX, .sun_path = "\0name" };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(53) };
	struct sockaddr other = { .sa_family = AF_NETLINK };
	struct theirs t;

	v6.sin6_addr.s6_addr[15] = 1;
	test_call(&ev, X64, "bind", 0, 3, U(3), U(0x1000), U(110));
	test_blob(&ev, 1, SCAP_STATE_WHOLE, &to, 2 + 7, 9);
	t = export_one(&ev, SYSDIG, 1);
	expect_bytes(&t, 1, "\1/run/x", 8);
	test_call(&ev, X64, "bind", 0, 3, U(3), U(0x1000), U(110));
	test_blob(&ev, 1, SCAP_STATE_WHOLE, &abstract, 2 + 5, 7);
	t = export_one(&ev, SYSDIG, 1);
	expect_bytes(&t, 1, "\1name", 6);
	test_call(&ev, X64, "bind", 0, 3, U(3), U(0x1000), U(28));
	test_blob(&ev, 1, SCAP_STATE_WHOLE, &v6, sizeof(v6), sizeof(v6));
	t = export_one(&ev, SYSDIG, 1);
	expect_bytes(&t, 1, "\12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x35\0", 19);
	test_call(&ev, X64, "bind", 0, 3, U(3), U(0x1000), U(12));
	test_blob(&ev, 1, SCAP_STATE_WHOLE, &other, 12, 12);
	t = export_one(&ev, SYSDIG, 1);
	cr_expect_eq(t.lens[1], 0);
	/* Cut short: nothing of it. */
	test_call(&ev, X64, "bind", 0, 3, U(3), U(0x1000), U(28));
	test_blob(&ev, 1, SCAP_STATE_UNREADABLE, &v6, 20, sizeof(v6));
	t = export_one(&ev, SYSDIG, 1);
	cr_expect_eq(t.lens[1], 0);
}

Test(export_param, poll)
{
	struct pollfd fds[2] = { { 4, POLLIN, 0 }, { -1, POLLOUT | POLLERR, POLLHUP } };
	struct theirs t;

	test_call(&ev, X64, "poll", 1, 3, U(0x1000), U(2), U(0xffffffff));
	test_blob(&ev, 0, SCAP_STATE_WHOLE, fds, sizeof(fds), sizeof(fds));
	t = export_one(&ev, SYSDIG, 0);
	expect_bytes(&t, 0, "\2\0" "\4\0\0\0\0\0\0\0" "\1\0" "\377\377\377\377\377\377\377\377"
		     "\24\0", 22);
	expect_number(&t, 1, 8, -1);
	t = event_nth(1);
	expect_bytes(&t, 1, "\2\0" "\4\0\0\0\0\0\0\0" "\0\0" "\377\377\377\377\377\377\377\377"
		     "\40\0", 22);
}

Test(export_param, times_and_limits)
{
	static const int64_t ts[2] = { 2, 5 };
	static const uint64_t limit[2] = { 1024, UINT64_MAX };
	static const int32_t ts32[2] = { 2, 5 };
	struct theirs t;

	test_call(&ev, X64, "nanosleep", 0, 2, U(0x1000), U(0));
	test_blob(&ev, 0, SCAP_STATE_WHOLE, ts, sizeof(ts), sizeof(ts));
	t = export_one(&ev, SYSDIG, 0);
	expect_number(&t, 0, 8, 2000000005);
	test_call(&ev, I386, "nanosleep", 0, 2, U(0x1000), U(0));
	test_blob(&ev, 0, SCAP_STATE_WHOLE, ts32, sizeof(ts32), sizeof(ts32));
	t = export_one(&ev, SYSDIG, 0);
	expect_number(&t, 0, 8, 2000000005);
	test_call(&ev, X64, "prlimit64", 0, 4, U(0), U(7), U(0), U(0x1000));
	test_blob(&ev, 3, SCAP_STATE_WHOLE, limit, sizeof(limit), sizeof(limit));
	t = export_one(&ev, SYSDIG, 1);
	cr_expect_eq(t.n, 5);
	expect_number(&t, 1, 8, -1);
	expect_number(&t, 3, 8, 1024);
	expect_number(&t, 4, 8, -1);
	t = event_nth(0);
	expect_number(&t, 1, 1, 7);
}

Test(export_param, socket_options)
{
	static const int32_t one = 1, error = 111;
	static const int64_t timeout[2] = { 1, 500000 };
	struct theirs t;

	test_call(&ev, X64, "setsockopt", 0, 5, U(3), U(1), U(2), U(0x1000), U(4));
	test_blob(&ev, 3, SCAP_STATE_WHOLE, &one, 4, 4);
	t = export_one(&ev, SYSDIG, 1);
	cr_expect_eq(t.n, 6);
	expect_number(&t, 2, 1, 1);
	expect_number(&t, 3, 1, 2);
	expect_bytes(&t, 4, "\2\1\0\0\0", 5);
	expect_number(&t, 5, 4, 4);
	test_call(&ev, X64, "getsockopt", 0, 5, U(3), U(1), U(4), U(0x1000), U(0x2000));
	test_blob(&ev, 3, SCAP_STATE_WHOLE, &error, 4, 4);
	test_blob(&ev, 4, SCAP_STATE_WHOLE, "\4\0\0\0", 4, 4);
	t = export_one(&ev, SYSDIG, 1);
	expect_bytes(&t, 4, "\1\x91\xff\xff\xff\xff\xff\xff\xff", 9);
	expect_number(&t, 5, 4, 4);
	test_call(&ev, X64, "setsockopt", 0, 5, U(3), U(1), U(20), U(0x1000), U(16));
	test_blob(&ev, 3, SCAP_STATE_WHOLE, timeout, 16, 16);
	t = export_one(&ev, SYSDIG, 1);
	expect_bytes(&t, 4, "\4\0\x2f\x68\x59\0\0\0\0", 9);
	/* Not of SOL_SOCKET: the option has no number there. */
	test_call(&ev, X64, "setsockopt", 0, 5, U(3), U(6), U(1), U(0x1000), U(4));
	test_blob(&ev, 3, SCAP_STATE_WHOLE, &one, 4, 4);
	t = export_one(&ev, SYSDIG, 1);
	expect_number(&t, 2, 1, 2);
	expect_number(&t, 3, 1, 0);
	expect_bytes(&t, 4, "\0\1\0\0\0", 5);
}

Test(export_param, pairs_of_descriptors)
{
	static const int32_t fds[2] = { 6, 7 };
	struct theirs t;

	test_file(&file, "pipe:[77]");
	test_file(&file2, "pipe:[77]");
	test_call(&ev, X64, "pipe2", 0, 2, U(0x1000), U(0x80800));
	test_blob(&ev, 0, SCAP_STATE_WHOLE, fds, sizeof(fds), sizeof(fds));
	ev.file = &file;
	ev.file2 = &file2;
	t = export_one(&ev, FALCO, 0);
	cr_expect_eq(t.type, 393);
	expect_number(&t, 1, 8, 6);
	expect_number(&t, 2, 8, 7);
	expect_number(&t, 3, 8, 77);
	expect_number(&t, 4, 4, 0x1040);
	t = export_one(&ev, SYSDIG, 1);
	cr_expect_eq(t.type, 61);
	cr_expect_eq(t.n, 4);
	test_call(&ev, X64, "pipe2", -24, 2, U(0x1000), U(0));
	t = export_one(&ev, SYSDIG, 1);
	expect_number(&t, 1, 8, -1);
	expect_number(&t, 3, 8, 0);
}

Test(export_param, positions)
{
	struct theirs t;

	test_call(&ev, I386, "pread64", 0, 5, U(3), U(0x1000), U(10), U(7), U(2));
	t = export_one(&ev, SYSDIG, 0);
	cr_expect_eq(t.type, 112);
	expect_number(&t, 2, 8, 0x200000007);
	test_call(&ev, I386, "_llseek", 0, 5, U(3), U(2), U(7), U(0x1000), U(1));
	t = export_one(&ev, SYSDIG, 0);
	cr_expect_eq(t.type, 88);
	expect_number(&t, 1, 8, 0x200000007);
	test_call(&ev, X64, "lseek", 0, 3, U(3), U(-5), U(2));
	t = export_one(&ev, SYSDIG, 0);
	expect_number(&t, 1, 8, -5);
}

Test(export_param, flags_by_value)
{
	struct theirs t;

	test_call(&ev, X64, "fcntl", 9, 3, U(3), U(1030), U(10));	/* F_DUPFD_CLOEXEC */
	t = export_one(&ev, SYSDIG, 0);
	expect_number(&t, 1, 1, 26);
	test_call(&ev, X64, "fcntl", 0, 3, U(3), U(1033), U(0));	/* they have none */
	t = export_one(&ev, SYSDIG, 0);
	expect_number(&t, 1, 1, 0);
	/* FUTEX_WAIT_BITSET_PRIVATE with the wall clock */
	test_call(&ev, X64, "futex", 0, 6, U(0x1000), U(0x189), U(1), U(0), U(0), U(0));
	t = export_one(&ev, SYSDIG, 0);
	expect_number(&t, 1, 2, 0x189);
	test_call(&ev, X64, "ptrace", 0, 4, U(0x4206), U(12), U(0), U(0));
	t = export_one(&ev, SYSDIG, 0);
	expect_number(&t, 0, 2, 20);
	t = event_nth(1);
	expect_bytes(&t, 1, "\0\0\0\0\0\0\0\0\0", 9);
}

Test(export_param, calls_with_a_number_only)
{
	struct theirs t;

	test_call(&ev, X64, "getrandom", 16, 3, U(0x1000), U(16), U(0));
	t = export_one(&ev, SYSDIG, 0);
	cr_expect_eq(t.type, 0);
	cr_expect_eq(t.n, 2);
	expect_number(&t, 0, 2, 318);
	expect_number(&t, 1, 2, 318);
	t = event_nth(1);
	cr_expect_eq(t.type, 1);
	cr_expect_eq(t.n, 1);
	t = export_one(&ev, FALCO, 0);
	cr_expect_eq(t.n, 2);
	cr_expect_eq(counts.n_generic, 1);
	cr_expect_eq(counts.n_no_number, 0);
	/* Greater than all that sysdig 0.29 knows: it would die of it. */
	test_call(&ev, X64, "rseq", 0, 4, U(0x1000), U(32), U(0), U(0));
	t = export_one(&ev, SYSDIG, 0);
	expect_number(&t, 0, 2, 0);
	expect_number(&t, 1, 2, 334);
	cr_expect_eq(counts.n_no_number, 1);
	t = export_one(&ev, FALCO, 0);
	expect_number(&t, 0, 2, 380);
	cr_expect_eq(counts.n_no_number, 0);
}

Test(export_param, numbers_of_the_other_abi)
{
	struct theirs t;

	test_call(&ev, I386, "getuid32", 1000, 0);
	t = export_one(&ev, SYSDIG, 1);
	cr_expect_eq(t.type, 203);
	expect_number(&t, 0, 4, 1000);
	test_call(&ev, I386, "socketcall", 0, 2, U(1), U(0x1000));
	t = export_one(&ev, SYSDIG, 0);
	expect_number(&t, 0, 2, 277);
	expect_number(&t, 1, 2, 102);
}

Test(export_param, too_much_data_is_cut)
{
	static char data[100000], path[40000];
	struct block b = { 0 };
	struct theirs t;

	test_call(&ev, X64, "write", sizeof(data), 3, U(3), U(0x1000), U(sizeof(data)));
	test_blob(&ev, 1, SCAP_STATE_WHOLE, data, sizeof(data), sizeof(data));
	t = export_one(&ev, FALCO, 0);
	cr_expect_eq(t.n, 4);
	cr_expect_lt(t.lens[1], 65536);
	cr_expect_eq(counts.n_cut, 1);
	cr_assert(find_block(BLOCK_EVENT, 0, &b));
	cr_expect_leq(b.n + 12, 65544);
	memset(path, 'x', sizeof(path));
	test_call(&ev, X64, "rename", 0, 2, U(0x1000), U(0x2000));
	test_blob(&ev, 0, SCAP_STATE_WHOLE, path, sizeof(path), sizeof(path));
	test_blob(&ev, 1, SCAP_STATE_WHOLE, path, sizeof(path), sizeof(path));
	t = export_one(&ev, FALCO, 0);
	cr_assert_eq(t.n, 3);
	cr_expect_eq(t.params[1][t.lens[1] - 1], 0);
	cr_expect_eq(t.params[2][t.lens[2] - 1], 0);
}

static void other(unsigned type)
{
	test_call(&ev, X64, "read", 0, 0);
	ev.type = (uint8_t)type;
	ev.nr = INT64_MIN;
	ev.sc = NULL;
	ev.latency_ns = SCAP_LATENCY_NONE;
	memset(&ev.u, 0, sizeof(ev.u));
}

Test(export_param, ends_signals_faults)
{
	struct theirs t;

	other(SCAP_REC_EXIT);
	ev.u.exit.status = 11 | 0x80;
	t = export_one(&ev, SYSDIG, 0);
	cr_expect_eq(t.type, 186);
	cr_expect_eq(t.n, 4);
	expect_number(&t, 0, 8, 0x8b);
	expect_number(&t, 1, 8, 0);
	expect_number(&t, 2, 1, 11);
	expect_number(&t, 3, 1, 1);
	other(SCAP_REC_SWITCH);
	ev.u.event.target_tid = 12;
	t = export_one(&ev, SYSDIG, 0);
	cr_expect_eq(t.type, 152);
	expect_number(&t, 0, 8, 12);
	other(SCAP_REC_FAULT);
	ev.u.event.address = 0x1000;
	ev.u.event.ip = 0x2000;
	ev.u.event.error = 6;	/* a write, by user code, no page */
	t = export_one(&ev, SYSDIG, 0);
	cr_expect_eq(t.type, 290);
	expect_number(&t, 0, 8, 0x1000);
	expect_number(&t, 1, 8, 0x2000);
	expect_number(&t, 2, 4, 2 | 4 | 0x10);
}
