/* SPDX-License-Identifier: MIT */
/* Structures of user memory as text and JSON: whole, cut anywhere, of both ABIs. */
#include <criterion/criterion.h>
#include <scap/abi.h>
#include <scap/print.h>
#include <stdlib.h>

#include "filter/structs.h"
#include "format/event.h"

static char got[65536];

/* An exact copy on the heap, so that a read behind it is seen. */
static const char *shown(unsigned role, const void *p, size_t n, unsigned abi32)
{
	uint8_t *copy = malloc(n ? n : 1);
	struct scap__memory mem = { copy, n, abi32 };
	struct scap__pointee pt;
	struct scap__out o;

	memcpy(copy, p, n);
	scap__out_init(&o, got, sizeof(got));
	cr_assert(scap__role_pointee(role, &pt), "role %u", role);
	scap__out_pointee(&o, &pt, &mem, 0);
	scap__out_end(&o);
	free(copy);
	return got;
}

Test(structs, shown)
{
	const int64_t ts[2] = { 1, -2 };
	const int32_t ts32[2] = { 3, -4 };
	const uint64_t sets[2] = { 1 << 1 | 1 << 14, ~0ULL ^ 1 << 8 };
	const uint64_t limit[2] = { 5, ~0ULL };
	const uint32_t limit32[2] = { 5, ~0U };
	const struct { int fd; short events, revents; } polled[] = { { 3, 1, 0x11 }, { -1, 4, 0 } };
	const uint64_t fds[2] = { 1 << 3, 1 };
	const int one = -7;

	cr_expect_str_eq(shown(SCAP_ROLE_TIMESPEC_IN, ts, 16, 0), "{tv_sec=1, tv_nsec=-2}");
	cr_expect_str_eq(shown(SCAP_ROLE_TIMESPEC_IN, ts32, 8, 1), "{tv_sec=3, tv_nsec=-4}");
	cr_expect_str_eq(shown(SCAP_ROLE_SIGSET_IN, &sets[0], 8, 0), "[SIGINT SIGTERM]");
	cr_expect_str_eq(shown(SCAP_ROLE_SIGSET_IN, &sets[1], 8, 0), "~[SIGKILL]");
	cr_expect_str_eq(shown(SCAP_ROLE_RLIMIT_IN, limit, 16, 0),
			 "{rlim_cur=5, rlim_max=RLIM_INFINITY}");
	cr_expect_str_eq(shown(SCAP_ROLE_RLIMIT_IN, limit32, 8, 1),
			 "{rlim_cur=5, rlim_max=RLIM_INFINITY}");
	cr_expect_str_eq(shown(SCAP_ROLE_POLLFD_IO, polled, 16, 0),
			 "[{fd=3, events=POLLIN, revents=POLLIN|POLLHUP}, "
			 "{fd=-1, events=POLLOUT, revents=0}]");
	cr_expect_str_eq(shown(SCAP_ROLE_FD_SET_IO, fds, 16, 0), "[3 64]");
	cr_expect_str_eq(shown(SCAP_ROLE_INT_OUT, &one, 4, 0), "[-7]");
	cr_expect_str_eq(shown(SCAP_ROLE_OPT_IN, &one, 4, 0), "[-7]");
	cr_expect_str_eq(shown(SCAP_ROLE_OPT_IN, "eth0\n", 5, 0), "\"eth0\\n\"");
	cr_expect_str_eq(shown(SCAP_ROLE_TEXT_OUT, "/tmp\0x", 6, 0), "/tmp");
	cr_expect_str_eq(shown(SCAP_ROLE_ID_LIST_IN, limit32, 8, 0), "[5, 4294967295]");
	cr_expect_str_eq(shown(SCAP_ROLE_MSGBUF_IN, "\1\0\0\0\0\0\0\0ab\0", 11, 0),
			 "{mtype=1, mtext=\"ab\\x00\"}");
}

/* Members that were not captured are not shown; an element of an array is whole or not there. */
Test(structs, cut)
{
	const int64_t its[4] = { 1, 2, 3, 4 };
	const uint8_t zeros[64] = { 0 };

	cr_expect_str_eq(shown(SCAP_ROLE_TIMESPEC_IN, its, 8, 0), "{tv_sec=1}");
	cr_expect_str_eq(shown(SCAP_ROLE_TIMESPEC_IN, its, 7, 0), "{}");
	cr_expect_str_eq(shown(SCAP_ROLE_ITIMERSPEC_IN, its, 24, 0),
			 "{it_interval={tv_sec=1, tv_nsec=2}}");
	cr_expect_str_eq(shown(SCAP_ROLE_POLLFD_IO, zeros, 15, 0),
			 "[{fd=0, events=0, revents=0}]");
	cr_expect_str_eq(shown(SCAP_ROLE_POLLFD_IO, zeros, 0, 0), "[]");
	cr_expect_str_eq(shown(SCAP_ROLE_INT_OUT, zeros, 3, 0), "[]");
	cr_expect_str_eq(shown(SCAP_ROLE_OLD_MMAP_ARGS, zeros, 24, 0), "{}");
}

/* Every role with every length, filled with ones: nothing behind the end is read. */
Test(structs, any_length)
{
	uint8_t ones[512];
	struct scap__pointee pt;

	memset(ones, 0xff, sizeof(ones));
	for (unsigned role = 0; role < SCAP_ROLES; role++) {
		if (!scap__role_pointee(role, &pt))
			continue;
		for (size_t n = 0; n <= 200; n++) {
			shown(role, ones, n, 0);
			shown(role, ones, n, 1);
		}
		shown(role, ones, sizeof(ones), 0);
	}
	cr_expect(!scap__role_pointee(SCAP_ROLE_PATH, &pt));
	cr_expect(!scap__role_pointee(SCAP_ROLE_INT, &pt));
	cr_expect(!scap__role_pointee(SCAP_ROLES, &pt));
}

/* A layout's members lie within it, in both ABIs, and arrays have elements of some size. */
Test(structs, tables_agree)
{
	struct scap__pointee pt;

	for (unsigned role = SCAP_FETCH_FIRST; role < SCAP_FETCH_END; role++) {
		cr_assert(scap__role_pointee(role, &pt));
		if (pt.kind > SCAP__POINTEE_ARRAY)
			continue;
		cr_expect(pt.layout->n_members, "role %u", role);
		cr_expect(pt.layout->size[1], "role %u", role);
		for (unsigned i = 0; i < pt.layout->n_members; i++) {
			const struct scap__member *m = &pt.layout->members[i];

			for (unsigned abi = 0; abi < 2 && m->kind != SCAP__MEMBER_REST; abi++)
				cr_expect(m->at[abi] + m->bytes[abi] <= pt.layout->size[abi],
					  "role %u, %s", role, m->name);
		}
	}
}

/* Sizes of the layouts, and of what fetch.def has of them. */
enum {
#define SCAP_STRUCT(name, size, size32) SIZE_##name = size, SIZE32_##name = size32,
#define SCAP_MEMBER(name, kind, domain, at, bytes, at32, bytes32)
#define SCAP_NESTED(name, layout, at, at32)
#define SCAP_STRUCT_END
#include "filter/structs.def"
	SIZE_bytes = 1, SIZE32_bytes = 1, SIZE_text = 1, SIZE32_text = 1,
	SIZE_option = 1, SIZE32_option = 1, SIZE_fd_set = 8, SIZE32_fd_set = 4,
};

/*
 * One structure, or several of them, or its beginning; where elements are counted, exactly one;
 * where the argument counts bytes, a byte.
 */
static bool fits(const char *rule, unsigned n, unsigned size)
{
	if (!strcmp(rule, "FIXED"))
		return n <= size || (size && n % size == 0);
	if (!strncmp(rule, "BYTES", 5) || !strcmp(rule, "IOCTL") || !strcmp(rule, "RET_PREV"))
		return n == 1 || n == size;
	return !strcmp(rule, "CODE") || n == size;
}

Test(structs, fetched_sizes_fit)
{
#define SCAP_FETCH(ID, when, rule, n64, n32, cap, layout) \
	{ #ID, #rule, { n64, n32 }, { SIZE_##layout, SIZE32_##layout } },
	static const struct {
		const char *role, *rule;
		unsigned n[2], size[2];
	} rows[] = {
#include <scap/fetch.def>
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned abi = 0; abi < 2; abi++)
			cr_expect(!rows[i].n[abi] ||
				  fits(rows[i].rule, rows[i].n[abi], rows[i].size[abi]),
				  "%s of abi %u", rows[i].role, abi);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static struct scap_event call(unsigned abi, int64_t nr, int64_t ret, const uint64_t *args,
			      unsigned n_args)
{
	struct scap_event ev = { .type = SCAP_REC_CALL, .abi = (uint8_t)abi, .nr = nr, .ret = ret,
				 .nargs = (uint8_t)n_args, .latency_ns = 1, .tid = 9 };

	ev.sc = scap__syscall_lookup(abi, nr);
	memcpy(ev.args, args, n_args * sizeof(*args));
	return ev;
}

static void blob(struct scap_event *ev, unsigned slot, unsigned state, const void *p, size_t n,
		 uint32_t orig)
{
	ev->blobs[ev->n_blobs++] = (struct scap__blob){ (uint8_t)slot, (uint8_t)state, (uint32_t)n,
							orig, p };
}

static void expect_shown(const struct scap_event *ev, const char *text, const char *json)
{
	struct scap_print_options opt = { .size = sizeof(opt) };

	scap_print_text(ev, &opt, got, sizeof(got));
	cr_expect(strstr(got, text), "'%s' has no '%s'", got, text);
	scap_print_json(ev, &opt, got, sizeof(got));
	cr_expect(strstr(got, json), "'%s' has no '%s'", got, json);
}

Test(structs, in_calls)
{
	const struct { int fd; short events, revents; } polled = { 3, 1, 1 };
	const uint64_t args[6] = { 0x1000, 1, 50 };
	struct scap_event ev = call(SCAP_ABI_X86_64, 7, 1, args, 3);

	expect_shown(&ev, "ufds=0x1000 nfds=1 timeout_msecs=50 res=1", "\"ufds\":\"0x1000\"");
	blob(&ev, 0, SCAP_STATE_WHOLE, &polled, 8, 8);
	expect_shown(&ev, "ufds=[{fd=3, events=POLLIN, revents=POLLIN}] nfds=1",
		     "\"ufds\":[{\"fd\":3,\"events\":\"POLLIN\",\"revents\":\"POLLIN\"}],"
		     "\"nfds\":1");
	ev.blobs[0].state = SCAP_STATE_TRUNCATED;
	ev.blobs[0].orig_bytes = 80;
	expect_shown(&ev, "revents=POLLIN}]...(80) nfds=1",
		     "\"states\":{\"ufds\":"
		     "{\"state\":\"truncated\",\"bytes\":8,\"orig_bytes\":80}}");
	ev.blobs[0].bytes = 0;
	ev.blobs[0].state = SCAP_STATE_UNREADABLE;
	expect_shown(&ev, "ufds=<unreadable> nfds=1", "\"ufds\":\"<unreadable>\"");
}

/* The same role in i386's layout, where a call is another and its row the same. */
Test(structs, in_32_bit_calls)
{
	const int32_t ts[2] = { 1, 500 };
	const uint64_t args[6] = { 0x1000, 0 };
	struct scap_event ev = call(SCAP_ABI_I386, 162, 0, args, 2);

	blob(&ev, 0, SCAP_STATE_WHOLE, ts, 8, 8);
	expect_shown(&ev, "nanosleep 1ns rqtp={tv_sec=1, tv_nsec=500} rmtp=NULL res=0",
		     "\"rqtp\":{\"tv_sec\":1,\"tv_nsec\":500}");
}

Test(structs, variants)
{
	const struct { short type, whence; long start, len; int pid; } lock = { 1, 0, 10, 20, 0 };
	const uint32_t sc[3] = { 2, 1, 6 };
	struct scap_event ev;

	ev = call(SCAP_ABI_X86_64, 72, 0, (uint64_t[]){ 3, 6, 0x1000 }, 3);
	blob(&ev, 2, SCAP_STATE_WHOLE, &lock, 32, 32);
	expect_shown(&ev, "cmd=F_SETLK arg={l_type=F_WRLCK, l_whence=SEEK_SET, l_start=10, "
		     "l_len=20, l_pid=0}", "\"arg\":{\"l_type\":\"F_WRLCK\",\"l_whence\":");
	ev = call(SCAP_ABI_X86_64, 72, 2, (uint64_t[]){ 3, 3, 0x1000 }, 3);
	expect_shown(&ev, "cmd=F_GETFL res=O_RDWR", "\"cmd\":\"F_GETFL\"},");
	ev = call(SCAP_ABI_X86_64, 72, -9, (uint64_t[]){ 3, 3, 0x1000 }, 3);
	expect_shown(&ev, "cmd=F_GETFL res=EBADF(-9)", "\"errno\":\"EBADF\"");
	ev = call(SCAP_ABI_X86_64, 202, 1, (uint64_t[]){ 0x1000, 1, 5, 0x1234, 0, 0 }, 6);
	expect_shown(&ev, "op=FUTEX_WAKE val=5 uaddr2=NULL", "\"val\":5,\"uaddr2\"");
	ev = call(SCAP_ABI_X86_64, 202, 1, (uint64_t[]){ 0x1000, 0x83, 5, 4, 0x2000, 0 }, 6);
	expect_shown(&ev, "op=FUTEX_REQUEUE_PRIVATE val=5 utime=4 uaddr2=0x2000", "\"utime\":4");
	ev = call(SCAP_ABI_X86_64, 95, 022, (uint64_t[]){ 077 }, 1);
	expect_shown(&ev, "mask=077 res=022", "\"res\":18");
	ev = call(SCAP_ABI_X86_64, 54, 0, (uint64_t[]){ 3, 6, 1, 0x1000, 4 }, 5);
	expect_shown(&ev, "level=IPPROTO_TCP optname=TCP_NODELAY", "\"optname\":\"TCP_NODELAY\"");
	ev = call(SCAP_ABI_X86_64, 54, 0, (uint64_t[]){ 3, 77, 1, 0x1000, 4 }, 5);
	expect_shown(&ev, "level=77 optname=1", "\"optname\":1");
	ev = call(SCAP_ABI_I386, 102, 3, (uint64_t[]){ 1, 0x1000 }, 2);
	blob(&ev, 1, SCAP_STATE_WHOLE, sc, 12, 12);
	expect_shown(&ev, "call=SYS_SOCKET args={domain=AF_INET, type=SOCK_STREAM, proto=6}",
		     "\"args\":{\"domain\":\"AF_INET\",\"type\":\"SOCK_STREAM\",\"proto\":6}");
}

/* The option that cuts payload does not cut structures, but the payload in one. */
Test(structs, cut_by_option)
{
	struct scap_print_options opt = { .size = sizeof(opt), .max_bytes = 10 };
	const int64_t its[4] = { 1, 2, 3, 4 };
	struct scap_event ev;

	ev = call(SCAP_ABI_X86_64, 286, 0, (uint64_t[]){ 3, 0, 0x1000, 0 }, 4);
	blob(&ev, 2, SCAP_STATE_WHOLE, its, 32, 32);
	scap_print_text(&ev, &opt, got, sizeof(got));
	cr_expect(strstr(got, "it_value={tv_sec=3, tv_nsec=4}} otmr"), "%s", got);
	scap_print_json(&ev, &opt, got, sizeof(got));
	cr_expect_not(strstr(got, "states"), "%s", got);
	ev = call(SCAP_ABI_X86_64, 69, 0, (uint64_t[]){ 3, 0x1000, 5, 0 }, 4);
	blob(&ev, 1, SCAP_STATE_WHOLE, "\1\0\0\0\0\0\0\0hello", 13, 13);
	scap_print_text(&ev, &opt, got, sizeof(got));
	cr_expect(strstr(got, "msgp={mtype=1, mtext=\"he\"}...(13) msgsz=5"), "%s", got);
	scap_print_json(&ev, &opt, got, sizeof(got));
	cr_expect(strstr(got, "\"mtext\":\"he\"}") && strstr(got, "\"state\":\"cut\""), "%s", got);
}

/* Bytes that are no UTF-8 and control characters go through neither text nor JSON. */
Test(structs, hostile_text)
{
	uint8_t names[390];
	struct scap_event ev = call(SCAP_ABI_X86_64, 63, 0, (uint64_t[]){ 0x1000 }, 1);

	memset(names, 0xff, sizeof(names));
	memcpy(names, "a\33[1m\"", 7);
	blob(&ev, 0, SCAP_STATE_WHOLE, names, sizeof(names), sizeof(names));
	expect_shown(&ev, "name={sysname=\"a\\x1b[1m\\\"\", nodename=\"\\xff\\xff",
		     "\"name\":{\"sysname\":\"a\\u001b[1m\\\"\",\"nodename_b64\":\"//");
}
