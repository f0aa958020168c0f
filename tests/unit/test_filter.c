/* SPDX-License-Identifier: MIT */
/* What filters match: every operator on every type, precedence, missing values. */
#include <criterion/criterion.h>
#include <errno.h>
#include <scap/filter.h>
#include <scap/print.h>

#include "test_filter_event.h"

#define U(x) ((uint64_t)(x))
#define X64 SCAP_ABI_X86_64
#define CWD U(0xffffff9c)

static bool matches(const char *text, const struct scap_event *ev)
{
	struct scap_error err = { .code = 0 };
	struct scap_filter *f = NULL;
	bool holds;

	cr_assert(!scap_filter_compile(text, &f, &err), "%s: %s", text, err.text);
	holds = scap_filter_match(f, ev);
	scap_filter_free(f);
	return holds;
}

struct expectation {
	const char *text;
	bool holds;
};

static void expect_all(const struct expectation *e, size_t n, const struct scap_event *ev)
{
	for (size_t i = 0; i < n; i++)
		cr_expect_eq(matches(e[i].text, ev), e[i].holds, "%s", e[i].text);
}

#define EXPECT(ev, ...)                                                                          \
	do {                                                                                     \
		static const struct expectation e[] = { __VA_ARGS__ };                           \
		expect_all(e, sizeof(e) / sizeof(e[0]), ev);                                     \
	} while (0)

static void failed_open(struct scap_event *ev)
{
	test_call(ev, X64, "openat", -13, 4, CWD, U(0x1000), U(02000101), U(0644));
	test_str(ev, 1, "/etc/Shadow x");
}

static void socket_write(struct scap_event *ev, struct scap__file *f)
{
	test_sock(f, 40000, 80);
	test_call(ev, X64, "write", 1024, 3, U(5), U(0x1000), U(1024));
	test_blob(ev, 1, SCAP_STATE_TRUNCATED, "GET /\0x\xff", 8, 1024);
	ev->file = f;
}

Test(filter, numbers)
{
	struct scap_event ev;

	failed_open(&ev);
	EXPECT(&ev,
	       { "evt.num = 12", true }, { "evt.num == 12", true }, { "evt.num = 13", false },
	       { "evt.num != 12", false }, { "evt.num != 13", true }, { "evt.num < 13", true },
	       { "evt.num < 12", false }, { "evt.num <= 12", true }, { "evt.num <= 11", false },
	       { "evt.num > 11", true }, { "evt.num > 12", false }, { "evt.num >= 12", true },
	       { "evt.num >= 13", false }, { "evt.num in (1, 12)", true },
	       { "evt.num in (1, 2)", false }, { "evt.num in ()", false },
	       { "evt.num exists", true }, { "evt.cpu = 1", true },
	       { "evt.rawres = -13", true }, { "evt.rawres < 0", true },
	       { "evt.rawres > 0", false }, { "evt.rawres >= -13", true },
	       /* Unsigned: -1 is the largest number. */
	       { "evt.num < -1", true }, { "evt.num > -1", false },
	       { "evt.latency = 12345", true }, { "evt.latency > 12us", true },
	       { "evt.latency > 12.4us", false }, { "evt.latency >= 12.345us", true },
	       { "evt.latency < 1ms", true }, { "evt.latency < 0.00001s", false },
	       { "evt.rawtime > 1700000000000000000", true },
	       { "evt.rawtime.s = 1700000000", true }, { "evt.rawtime.ns = 123456789", true },
	       { "proc.pid = 4700", true }, { "proc.ppid = 1", true },
	       { "thread.tid = 4711", true }, { "user.uid = 1000", true },
	       { "user.uid in (0, 1000)", true });
}

Test(filter, strings)
{
	struct scap_event ev;

	failed_open(&ev);
	EXPECT(&ev,
	       { "proc.name = httpd", true }, { "proc.name = HTTPD", false },
	       { "proc.name = http", false }, { "proc.name = httpdx", false },
	       { "proc.name != httpd", false }, { "proc.name != x", true },
	       { "proc.name contains ttp", true }, { "proc.name contains tp", true },
	       { "proc.name contains tpx", false }, { "proc.name contains ''", true },
	       { "proc.name contains TTP", false }, { "proc.name icontains TTP", true },
	       { "proc.name icontains HTTPDX", false }, { "proc.name icontains ''", true },
	       { "proc.name icontains TPD", true },
	       { "proc.name startswith http", true }, { "proc.name startswith ttp", false },
	       { "proc.name startswith httpdx", false }, { "proc.name startswith ''", true },
	       { "proc.name endswith tpd", true }, { "proc.name endswith htt", false },
	       { "proc.name endswith xhttpd", false }, { "proc.name in (sh, httpd)", true },
	       { "proc.name in (sh, http)", false }, { "proc.name in ()", false },
	       { "proc.name exists", true }, { "proc.name > 5", true },
	       { "proc.name < 5", false }, { "proc.name >= 5", true },
	       { "proc.name <= 5", false }, { "proc.name glob h*d", true },
	       { "proc.name glob H*D", false }, { "proc.name iglob H*D", true },
	       { "proc.name glob http", false }, { "evt.type = openat", true },
	       { "evt.type != openat", false }, { "evt.type in (open, openat)", true },
	       { "syscall.type = openat", true }, { "evt.res = EACCES", true },
	       { "evt.res = SUCCESS", false }, { "evt.res != SUCCESS", true },
	       { "evt.time = 22:13:20.123456789", true }, { "evt.time.s = 22:13:20", true },
	       { "evt.datetime = '2023-11-14 22:13:20.123456789'", true });
}

Test(filter, globs)
{
	static const struct {
		const char *pattern, *text;
		bool holds;
	} cases[] = {
		{ "a", "a", true }, { "", "a", false },
		{ "*/x", "/a/b/x", true }, { "/*/x", "/a/b/x", true }, { "?b", "/b", true },
		{ "[a-c]x", "bx", true }, { "[a-c]x", "dx", false }, { "[!a-c]x", "dx", true },
		{ "[!a-c]x", "ax", false }, { "[]]", "]", true }, { "[]a]", "a", true },
		{ "[a", "[a", true }, { "\\*", "*", true }, { "\\*", "x", false },
		{ "a*b*c", "aXbYbZc", true }, { "a*b*c", "aXbYbZ", false },
		{ "ab*bx", "abx", false },
		{ "*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
		{ "{a,b}", "a", false }, { "[a-]", "-", true }, { "[\\]]", "]", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scap_filter *f;
		struct scap_event ev;
		char text[128] = "evt.arg.path glob '", *p = text + strlen(text);

		test_call(&ev, X64, "unlink", 0, 1, U(0x1000));
		test_str(&ev, 0, cases[i].text);
		for (const char *c = cases[i].pattern; *c; c++) {
			if (*c == '\\')
				*p++ = '\\';
			*p++ = *c;
		}
		strcpy(p, "'");
		cr_assert(!scap_filter_compile(text, &f, NULL), "%s", text);
		cr_expect_eq(scap_filter_match(f, &ev), cases[i].holds, "%s on %s", text,
			     cases[i].text);
		scap_filter_free(f);
	}
}

Test(filter, bools)
{
	struct scap_event ev;

	failed_open(&ev);
	EXPECT(&ev,
	       { "evt.failed = true", true }, { "evt.failed = false", false },
	       { "evt.failed != true", false }, { "evt.failed in (false, true)", true },
	       { "evt.failed in (false)", false }, { "evt.failed exists", true });
}

Test(filter, bytes)
{
	struct scap_event ev;
	struct scap__file f;

	socket_write(&ev, &f);
	EXPECT(&ev,
	       { "evt.buffer contains GET", true }, { "evt.buffer contains POST", false },
	       { "evt.buffer contains 'x\\xff'", true }, { "evt.buffer contains ''", true },
	       { "evt.buffer startswith 'GET /'", true }, { "evt.buffer startswith ET", false },
	       { "evt.buffer endswith 'x\\xff'", true }, { "evt.buffer endswith GET", false },
	       { "evt.buffer = 'GET /\\x00x\\xff'", true }, { "evt.buffer = 'GET /'", false },
	       { "evt.buffer != GET", true }, { "evt.buffer in (a, b)", false },
	       { "evt.buffer exists", true }, { "evt.buflen = 1024", true });
}

Test(filter, addresses)
{
	struct scap_event ev;
	struct scap__file f;

	socket_write(&ev, &f);
	EXPECT(&ev,
	       { "fd.ip = 127.0.0.1", true }, { "fd.ip = 127.0.0.2", true },
	       { "fd.ip = 127.0.0.3", false }, { "fd.ip != 127.0.0.1", false },
	       { "fd.ip != 127.0.0.2", false }, { "fd.ip != 127.0.0.3", true },
	       { "fd.ip != ::1", true }, { "fd.ip = ::1", false },
	       { "fd.ip in (1.1.1.1, 127.0.0.2)", true }, { "fd.ip in (1.1.1.1)", false },
	       { "fd.ip = 7f00:1::", false },
	       { "fd.ip exists", true }, { "fd.lip = 127.0.0.1", true },
	       { "fd.lip = 127.0.0.2", false }, { "fd.rip = 127.0.0.2", true },
	       { "fd.port = 80", true }, { "fd.port = 40000", true }, { "fd.port = 81", false },
	       { "fd.port != 80", false }, { "fd.port != 81", true }, { "fd.port < 100", true },
	       { "fd.port < 80", false }, { "fd.port > 40000", false },
	       { "fd.port >= 40000", true }, { "fd.port in (1, 80)", true },
	       { "fd.lport = 40000", true }, { "fd.rport = 40000", false },
	       { "fd.type = ipv4", true }, { "fd.num = 5", true },
	       { "fd.name = 127.0.0.1:40000->127.0.0.2:80", true },
	       { "fd.name contains :80", true });
	/* A listening socket has one end. */
	test_sock(&f, 80, 0);
	EXPECT(&ev,
	       { "fd.ip = 127.0.0.1", true }, { "fd.ip = 0.0.0.0", false },
	       { "fd.port = 0", false }, { "fd.rport exists", false },
	       { "fd.rip != 1.1.1.1", false }, { "fd.name = 127.0.0.1:80", true });
	/* IPv4 in IPv6 is IPv4. */
	f.kind = SCAP_KIND_INET6;
	memset(f.sock.local_addr, 0, 16);
	f.sock.local_addr[10] = f.sock.local_addr[11] = 0xff;
	f.sock.local_addr[12] = 10;
	f.sock.local_addr[15] = 1;
	EXPECT(&ev, { "fd.ip = 10.0.0.1", true }, { "fd.type = ipv4", true },
	       { "fd.name = 10.0.0.1:80", true });
	f.sock.local_addr[0] = 0x20;
	EXPECT(&ev, { "fd.ip = 10.0.0.1", false }, { "fd.type = ipv6", true },
	       { "fd.ip = 2000::ffff:a00:1", true });
}

Test(filter, precedence)
{
	struct scap_event ev;

	failed_open(&ev);
#define T "evt.num=12"
#define F "evt.num=0"
	EXPECT(&ev,
	       { T " or " F " and " F, true }, { "(" T " or " F ") and " F, false },
	       { F " and " F " or " T, true }, { F " and (" F " or " T ")", false },
	       { "not " F " and " F, false }, { "not (" F " and " F ")", true },
	       { "not " T " or " T, true }, { "not(" T " or " T ")", false },
	       { "not not " T, true }, { "not not not " T, false },
	       { T " and " T " and " F, false }, { F " or " F " or " T, true },
	       { "not (" F " or not (" T " and not " F "))", true },
	       { "(" F ")or(" T ")and(" T ")", true }, { T " and not " F " and " T, true },
	       { F " or not " T " or " F, false });
#undef T
#undef F
}

/* Every expression over three checks and all of their values, against C's own logic. */
Test(filter, logic_against_model)
{
	static const char *const forms[] = {
		"A and B or C", "A or B and C", "not A and B or C", "not (A and B) or C",
		"A and (B or not C)", "not (A or B) and not C", "A or not (B or C)",
		"not (not A and not (B and C))", "(A or B) and (B or C) and (A or C)",
	};
	struct scap_event ev;

	failed_open(&ev);
	for (unsigned form = 0; form < sizeof(forms) / sizeof(forms[0]); form++) {
		for (unsigned bits = 0; bits < 8; bits++) {
			bool a = bits & 1, b = bits & 2, c = bits & 4;
			bool model[] = {
				(a && b) || c, a || (b && c), (!a && b) || c, !(a && b) || c,
				a && (b || !c), !(a || b) && !c, a || !(b || c),
				!(!a && !(b && c)), (a || b) && (b || c) && (a || c),
			};
			char text[256], *p = text;

			for (const char *s = forms[form]; *s; s++) {
				if (*s < 'A' || *s > 'C')
					*p++ = *s;
				else
					p += sprintf(p, "evt.num=%d",
						     bits >> (*s - 'A') & 1 ? 12 : 0);
			}
			*p = '\0';
			cr_expect_eq(matches(text, &ev), model[form], "%s", text);
		}
	}
}

Test(filter, missing_values)
{
	struct scap_event ev;

	failed_open(&ev);
	ev.thread = NULL;
	ev.latency_ns = SCAP_LATENCY_NONE;
	ev.flags = SCAP_CALL_TRAPPED;
	EXPECT(&ev,
	       { "proc.name = x", false }, { "proc.name != x", false },
	       { "not proc.name = x", true }, { "not proc.name != x", true },
	       { "proc.name exists", false }, { "not proc.name exists", true },
	       { "proc.name = ''", false }, { "proc.name = '<NA>'", false },
	       { "proc.name contains ''", false }, { "proc.name in (x)", false },
	       { "evt.latency < 1s", false }, { "evt.latency >= 0", false },
	       { "evt.latency exists", false }, { "evt.res != SUCCESS", false },
	       { "evt.rawres != 0", false }, { "evt.failed = false", false },
	       { "evt.failed != true", false }, { "user.uid != 7", false },
	       { "proc.pid exists", false }, { "evt.buffer exists", false },
	       { "evt.buffer != x", false }, { "fd.ip != 1.1.1.1", false },
	       { "fd.port != 1", false }, { "not fd.port = 1", true },
	       { "evt.arg.data exists", false }, { "evt.arg[9] != x", false },
	       { "proc.name = x or evt.num = 12", true },
	       { "not (proc.name = x or proc.name != x)", true });
}

Test(filter, parameters)
{
	struct scap_event ev;
	struct scap__file f;

	failed_open(&ev);
	EXPECT(&ev,
	       { "evt.arg.name = '/etc/Shadow x'", true }, { "evt.arg[1] startswith /etc", true },
	       { "evt.arg.flags = O_WRONLY|O_CREAT|O_CLOEXEC", true },
	       { "evt.arg.flags contains O_CREAT", true }, { "evt.arg.mode = 0644", true },
	       { "evt.arg.dirfd = AT_FDCWD", true }, { "evt.arg.res = EACCES", true },
	       { "evt.rawarg.flags = 524353", true }, { "evt.rawarg.res < 0", true },
	       { "evt.rawarg.dirfd = -100", true }, { "evt.arg.size exists", false },
	       { "evt.args contains 'name=\"/etc/Shadow x\" flags='", true },
	       { "evt.args endswith 'res=EACCES(-13)'", true }, { "fd.num = -1", true },
	       { "fd.name = '/etc/Shadow x'", true }, { "fd.type exists", false });
	socket_write(&ev, &f);
	EXPECT(&ev,
	       { "evt.arg.fd = 5<127.0.0.1:40000->127.0.0.2:80>", true },
	       { "evt.arg.data contains 'x\\xff'", true }, { "evt.arg.size = 1024", true },
	       { "evt.rawarg.size > 1023", true }, { "evt.rawarg.fd = 5", true });
	test_call(&ev, X64, "unlink", -2, 1, U(0x1000));
	test_str(&ev, 0, "");
	EXPECT(&ev, { "evt.arg.path = '<NA>'", true }, { "evt.arg.path exists", true });
	test_call(&ev, X64, "unlinkat", -2, 3, CWD, U(0x1000), U(0));
	EXPECT(&ev, { "fd.num exists", false });
}

Test(filter, names_of_failed_opens)
{
	struct scap_event ev;
	struct scap__file dir;

	failed_open(&ev);
	ev.n_blobs = 0;
	test_str(&ev, 1, "conf/x");
	EXPECT(&ev, { "fd.name = conf/x", true });
	test_file(&dir, "/srv");
	ev.file = &dir;
	EXPECT(&ev, { "fd.name = /srv/conf/x", true });
	test_file(&dir, "/");
	EXPECT(&ev, { "fd.name = /conf/x", true });
	ev.n_blobs = 0;
	test_str(&ev, 1, "/abs");
	EXPECT(&ev, { "fd.name = /abs", true });
}

Test(filter, other_events)
{
	struct scap_event ev;

	failed_open(&ev);
	ev.sc = NULL;
	ev.type = SCAP_REC_EXIT;
	ev.nr = INT64_MIN;
	ev.n_blobs = 0;
	ev.u.exit.status = 9;
	EXPECT(&ev,
	       { "evt.type = procexit", true }, { "evt.res exists", false },
	       { "evt.failed = false", false }, { "evt.latency exists", false },
	       { "evt.arg.status = 'killed(SIGKILL)'", true }, { "fd.name exists", false },
	       { "syscall.type exists", false }, { "fd.num exists", false });
	ev.type = SCAP_REC_FORK;
	ev.u.fork.child_tid = 77;
	EXPECT(&ev, { "evt.arg.child_tid = 77", true }, { "evt.rawarg.child_tid > 76", true });
}

Test(filter, exec)
{
	struct scap_event ev;
	struct scap__file f;

	failed_open(&ev);
	EXPECT(&ev, { "proc.exe exists", false }, { "proc.cmdline exists", false },
	       { "proc.is_exe_writable = false", false }, { "proc.sid exists", false });
	ev.sc = NULL;
	ev.type = SCAP_REC_EXEC;
	ev.nr = INT64_MIN;
	ev.flags = SCAP_EXEC_MEMFD | SCAP_EXEC_OVERLAY;
	memset(&ev.u, 0, sizeof(ev.u));
	ev.u.exec.argc = 3;
	ev.u.exec.loginuid = UINT32_MAX;
	ev.u.exec.sid = 40;
	ev.u.exec.exe_mtime_ns = 50;
	test_file(&f, "/srv/run");
	ev.file = &f;
	ev.n_blobs = 0;
	EXPECT(&ev, { "proc.args exists", false }, { "proc.env exists", false });
	test_blob(&ev, SCAP_SLOT_ARGV, SCAP_STATE_WHOLE, "./run\0a b\0c", 12, 12);
	test_blob(&ev, SCAP_SLOT_ENV, SCAP_STATE_WHOLE, "X=1\0Y=2", 8, 8);
	EXPECT(&ev, { "proc.exe = ./run", true }, { "proc.exepath = /srv/run", true },
	       { "proc.args = 'a b c'", true }, { "proc.cmdline = 'httpd a b c'", true },
	       { "proc.exeline = './run a b c'", true }, { "proc.cmdnargs = 2", true },
	       { "proc.env contains 'Y=2'", true }, { "proc.sid = 40", true },
	       { "user.loginuid = -1", true }, { "proc.exe_ino = 77", true },
	       { "proc.exe_ino.mtime = 50", true }, { "proc.exe_ino.ctime exists", false },
	       { "proc.is_exe_writable = false", true }, { "proc.is_exe_from_memfd = true", true },
	       { "proc.is_exe_upper_layer = true", false },
	       { "proc.is_exe_lower_layer = true", true },
	       { "evt.arg.argv = '[\"./run\", \"a b\", \"c\"]'", true },
	       { "evt.rawarg.flags = 10", true }, { "evt.rawarg.loginuid = -1", true });
	ev.n_blobs = 0;
	test_blob(&ev, SCAP_SLOT_ARGV, SCAP_STATE_WHOLE, "./run", 6, 6);
	EXPECT(&ev, { "proc.args = ''", true }, { "proc.cmdline = httpd", true });
}

Test(filter, field_text)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "evt.num", "12" }, { "evt.rawres", "-13" }, { "evt.failed", "true" },
		{ "proc.name", "httpd" }, { "evt.arg.name", "/etc/Shadow x" },
		{ "evt.arg[2]", "O_WRONLY|O_CREAT|O_CLOEXEC" }, { "evt.buffer", NULL },
		{ "fd.ip", NULL }, { "evt.latency.human", "12.3us" },
		{ "evt.time.iso8601", "2023-11-14T22:13:20.123456789+0000" },
	};
	struct scap_event ev;
	char buf[256];

	failed_open(&ev);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scap_field *f = NULL;
		ssize_t n;

		cr_assert(!scap_field_compile(cases[i].name, &f, NULL), "%s", cases[i].name);
		n = scap_field_text(f, &ev, buf, sizeof(buf));
		if (cases[i].want) {
			cr_expect_str_eq(buf, cases[i].want);
			cr_expect_eq((size_t)n, strlen(cases[i].want));
		} else {
			cr_expect_eq(n, -ENODATA, "%s", cases[i].name);
		}
		scap_field_free(f);
	}
}

Test(filter, field_text_is_safe)
{
	struct scap_field *f = NULL;
	struct scap_event ev;
	struct scap__file file;
	char buf[64];

	socket_write(&ev, &file);
	cr_assert(!scap_field_compile("evt.buffer", &f, NULL));
	cr_expect_eq(scap_field_text(f, &ev, buf, sizeof(buf)), 14);
	cr_expect_str_eq(buf, "GET /\\x00x\\xff");
	cr_expect_eq(scap_field_text(f, &ev, buf, 4), 14);
	cr_expect_str_eq(buf, "GET");
	scap_field_free(f);
	f = NULL;
	cr_assert(!scap_field_compile("fd.port", &f, NULL));
	scap_field_text(f, &ev, buf, sizeof(buf));
	cr_expect_str_eq(buf, "40000->80");
	scap_field_free(f);
}

Test(filter, field_errors)
{
	static const struct {
		const char *name;
		unsigned column;
		const char *says;
	} cases[] = {
		{ "", 1, "expected a field" }, { "proc", 1, "is not a field" },
		{ "proc.nam", 1, "did you mean 'proc.name'?" },
		{ "proc.name x", 10, "expected the end" }, { "evt.arg", 8, "expected .NAME" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scap_field *f = NULL;
		struct scap_error err;

		cr_expect_eq(scap_field_compile(cases[i].name, &f, &err), SCAP_ESYNTAX);
		cr_expect_null(f);
		cr_expect_eq(err.offset, cases[i].column, "%s", cases[i].name);
		cr_expect(strstr(err.text, cases[i].says), "%s: %s", cases[i].name, err.text);
	}
}

Test(filter, formats)
{
	static const struct {
		const char *format, *want;
	} cases[] = {
		{ "", "" }, { "plain", "plain" }, { "100%%", "100%" }, { "%%evt.num", "%evt.num" },
		{ "%evt.num", "12" }, { "%evt.num %proc.name: %evt.type.", "12 httpd: openat." },
		{ "<%evt.buffer>", "<<NA>>" },
		{ "%evt.arg[1]|%evt.arg.mode", "/etc/Shadow x|0644" },
		{ "%evt.time %evt.res%%", "21:13:20.123456789 EACCES%" },
	};
	struct scap_print_options opt = { .size = sizeof(opt), .utc_offset_s = -3600 };
	struct scap_event ev;
	char buf[256];

	failed_open(&ev);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scap_format *f = NULL;
		size_t n;

		cr_assert(!scap_format_compile(cases[i].format, &f, NULL), "%s", cases[i].format);
		n = scap_format_print(f, &ev, &opt, buf, sizeof(buf));
		cr_expect_str_eq(buf, cases[i].want);
		cr_expect_eq(n, strlen(cases[i].want));
		scap_format_free(f);
	}
}

Test(filter, format_times)
{
	struct scap_print_options opt = { .size = sizeof(opt), .time_format = SCAP_TIME_RELATIVE,
					  .start_wall_ns = T0 - 7 };
	struct scap_format *f = NULL;
	struct scap_event ev;
	char buf[64];

	failed_open(&ev);
	cr_assert(!scap_format_compile("%evt.time %evt.time.s", &f, NULL));
	scap_format_print(f, &ev, &opt, buf, sizeof(buf));
	cr_expect_str_eq(buf, "0.000000007 22:13:20");
	scap_format_free(f);
}

Test(filter, format_errors)
{
	static const struct {
		const char *format;
		unsigned column;
		const char *says;
	} cases[] = {
		{ "a %", 4, "expected the name of a field" }, { "50% of", 4, "expected the name" },
		{ "x %proc.nme", 4, "did you mean 'proc.name'?" },
		{ "%evt.arg.nmae", 10, "did you mean 'name'?" }, { "%evt.arg[x]", 10, "position" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scap_format *f = NULL;
		struct scap_error err;

		cr_expect_eq(scap_format_compile(cases[i].format, &f, &err), SCAP_ESYNTAX);
		cr_expect_null(f);
		cr_expect_eq(err.offset, cases[i].column, "%s", cases[i].format);
		cr_expect(strstr(err.text, cases[i].says), "%s: %s", cases[i].format, err.text);
	}
}

/* What a connect that failed, or goes on, asked for: the socket itself has no remote end. */
Test(filter, connect_that_failed)
{
	static const uint8_t to[16] = { 2, 0, 8081 >> 8, 8081 & 0xff, 10, 0, 0, 9 };
	static const int64_t results[] = { -111, -115 };
	struct scap_event ev;
	struct scap__file f;

	for (int i = 0; i < 2; i++) {
		struct expectation e[] = {
			{ "evt.type=connect and fd.port=8081 and evt.failed=true", true },
			{ "fd.rport=8081", true },
			{ "fd.rip=10.0.0.9", true },
			{ "fd.ip=10.0.0.9", true },
			{ "fd.lip=10.0.0.9", false },
			{ "fd.lport=8081", false },
			{ "fd.name=127.0.0.1:0->10.0.0.9:8081", true },
			{ "fd.type=ipv4", true },
		};

		test_call(&ev, SCAP_ABI_X86_64, "connect", results[i], 3, 4ull, 0x7000ull, 16ull);
		test_sock(&f, 0, 0);
		f.sock.remote_addr[0] = 127;	/* left over; a port says that it is connected */
		test_blob(&ev, 1, SCAP_STATE_WHOLE, to, sizeof(to), sizeof(to));
		ev.file = &f;
		expect_all(e, sizeof(e) / sizeof(e[0]), &ev);
	}
	test_sock(&f, 1000, 80);
	cr_assert(matches("fd.rport=80", &ev), "a socket's own remote end counts");
	cr_assert_not(matches("fd.rport=8081", &ev));
	test_sock(&f, 1000, 0);
	ev.ret = 0;
	cr_assert_not(matches("fd.port=8081", &ev), "only failures are told by their argument");
	ev.ret = -111;
	ev.blobs[0].bytes = 7;
	cr_assert_not(matches("fd.rport=8081", &ev));
	ev.file = NULL;
	cr_assert_not(matches("fd.name exists", &ev));
}

Test(filter, unix_connect_that_failed)
{
	static const char to[] = "\1\0/run/x.sock";
	struct scap__file f = { .kind = SCAP_KIND_UNIX, .ino = 5, .sock.family = 1 };
	struct scap_event ev;

	test_call(&ev, SCAP_ABI_X86_64, "connect", -2, 3, 4ull, 0x7000ull, 16ull);
	test_blob(&ev, 1, SCAP_STATE_WHOLE, to, sizeof(to), sizeof(to));
	ev.file = &f;
	cr_assert(matches("fd.name contains /run/x.sock", &ev));
}
