/* SPDX-License-Identifier: MIT */
/* What other recorders' files do not tell is not shown, and not mistaken for what a program did. */
#include <criterion/criterion.h>
#include <scap/print.h>

#include "filter/value.h"
#include "test_filter_event.h"

#define X64 SCAP_ABI_X86_64
#define U(v) ((uint64_t)(v))

static char line[8192];

static void expect(const struct scap_event *ev, const char *want)
{
	scap_print_text(ev, NULL, line, sizeof(line));
	cr_assert_not_null(strstr(line, want), "'%s' lacks '%s'", line, want);
}

/* The memory behind a lock's address faulted: the kernel says so in the same way. */
Test(unknown, faults_of_recorded_calls_are_shown)
{
	struct scap_event ev;

	test_call(&ev, X64, "fcntl", -14, 3, U(3), U(6), U(0x1000));
	test_blob(&ev, 2, SCAP_STATE_UNREADABLE, "", 0, SCAP_LEN_UNKNOWN);
	expect(&ev, "fcntl 12.3us fd=3 cmd=F_SETLK arg=<unreadable> res=EFAULT(-14)");
}

Test(unknown, words)
{
	struct scap_event ev;

	test_call(&ev, X64, "sendto", 5, 5, U(3), U(0), U(5), U(0), U(0));
	ev.more = SCAP_MORE_NO_WORDS;
	test_blob(&ev, 1, SCAP_STATE_WHOLE, "hello", 5, 5);
	test_blob(&ev, 3, SCAP_STATE_UNREADABLE, "", 0, SCAP_LEN_UNKNOWN);
	test_blob(&ev, 4, SCAP_STATE_WHOLE, "\2\0\0\x50\x0a\0\0\1\0\0\0\0\0\0\0\0", 16, 16);
	expect(&ev, "sendto 12.3us fd=3 data=\"hello\" size=5 addr=10.0.0.1:80 res=5");
	scap_print_json(&ev, NULL, line, sizeof(line));
	cr_assert_not_null(strstr(line, "\"raw_args\":[\"0x3\",null,\"0x5\",null,null]"), "%s",
			   line);
}

Test(unknown, descriptor_and_result)
{
	const struct scap__file *f;
	struct scap_event ev;
	int64_t num;

	test_call(&ev, X64, "epoll_wait", 0, 3, U(0), U(0), U(64));
	ev.more = SCAP_MORE_NO_WORDS | SCAP_MORE_NO_RET;
	test_blob(&ev, 0, SCAP_STATE_UNREADABLE, "", 0, SCAP_LEN_UNKNOWN);
	test_blob(&ev, 1, SCAP_STATE_UNREADABLE, "", 0, SCAP_LEN_UNKNOWN);
	expect(&ev, "epoll_wait 12.3us events=<unreadable> maxevents=64 res=?");
	cr_assert_not(scap__event_fd(&ev, &num, &f));
	cr_assert_not(scap_event_has_ret(&ev));
	cr_assert_not(scap__failed(&ev));
}

Test(unknown, signals_and_switches)
{
	struct scap_event ev;

	test_call(&ev, X64, "read", 0, 0);
	ev.type = SCAP_REC_SIGDELIVER;
	memset(&ev.u.event, 0, sizeof(ev.u.event));
	ev.u.event.signo = 15;
	ev.u.event.code = SCAP_SIGCODE_UNKNOWN;
	ev.u.event.action = SCAP_SIGACT_UNKNOWN;
	expect(&ev, "sig=SIGTERM");
	cr_assert_null(strstr(line, "code="));
	cr_assert_null(strstr(line, "action="));
	ev.type = SCAP_REC_SWITCH;
	ev.flags = SCAP_SWITCH_NO_STATE;
	expect(&ev, "next_tid=0");
	cr_assert_null(strstr(line, "state="));
}
