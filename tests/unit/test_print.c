/* SPDX-License-Identifier: MIT */
/* Exact text of hand-made events. */
#include <criterion/criterion.h>
#include <scap/print.h>

#include "test_filter_event.h"

#define U(x) ((uint64_t)(x))
#define X64 SCAP_ABI_X86_64
#define CWD U(0xffffff9c)
#define PREFIX "12 22:13:20.123456789 1 httpd (4711) "

static char line[8192];

static const char *text(const struct scap_event *ev)
{
	size_t n = scap_print_text(ev, NULL, line, sizeof(line));

	cr_assert_eq(n, strlen(line));
	return line;
}

static void expect(const struct scap_event *ev, const char *want)
{
	const char *got = text(ev);

	cr_expect(!strncmp(got, PREFIX, strlen(PREFIX)), "prefix: %s", got);
	cr_expect_str_eq(got + strlen(PREFIX), want);
}

Test(print, openat_success)
{
	struct scap_event ev;
	struct scap__file f, dir;

	test_file(&f, "/srv/x");
	test_file(&dir, "/srv");
	test_call(&ev, X64, "openat", 3, 4, CWD, U(0x1000), U(02000001), U(0777));
	ev.file = &f;
	expect(&ev, "openat 12.3us dirfd=AT_FDCWD name=/srv/x flags=O_WRONLY|O_CLOEXEC "
		    "res=3</srv/x>");
	test_str(&ev, 1, "x");
	ev.args[0] = 9;
	ev.file2 = &dir;
	expect(&ev, "openat 12.3us dirfd=9</srv> name=x resolved=/srv/x flags=O_WRONLY|O_CLOEXEC "
		    "res=3</srv/x>");
	f.flags = SCAP_FILE_DELETED;
	ev.args[2] = 0102;
	expect(&ev, "openat 12.3us dirfd=9</srv> name=x resolved=/srv/x flags=O_RDWR|O_CREAT "
		    "mode=0777 res=3</srv/x>(deleted)");
}

Test(print, openat_failure)
{
	struct scap_event ev;

	test_call(&ev, X64, "openat", -13, 4, CWD, U(0x1000), U(0), U(0));
	test_str(&ev, 1, "/etc/a b\n\x1b\xff\"");
	expect(&ev, "openat 12.3us dirfd=AT_FDCWD name=\"/etc/a b\\n\\x1b\\xff\\\"\" "
		    "flags=O_RDONLY res=EACCES(-13)");
	ev.n_blobs = 0;
	test_blob(&ev, 1, SCAP_STATE_UNREADABLE, "/et", 3, SCAP_LEN_UNKNOWN);
	ev.ret = -14;
	expect(&ev, "openat 12.3us dirfd=AT_FDCWD name=/et<unreadable> flags=O_RDONLY "
		    "res=EFAULT(-14)");
	ev.blobs[0].bytes = 0;
	expect(&ev, "openat 12.3us dirfd=AT_FDCWD name=<unreadable> flags=O_RDONLY "
		    "res=EFAULT(-14)");
	ev.n_blobs = 0;
	ev.args[1] = 0;
	expect(&ev, "openat 12.3us dirfd=AT_FDCWD name=NULL flags=O_RDONLY res=EFAULT(-14)");
}

Test(print, data)
{
	struct scap_event ev;
	struct scap__file f;
	struct scap_print_options opt = { .size = sizeof(opt), .max_bytes = 3 };

	test_sock(&f, 40000, 80);
	test_call(&ev, X64, "write", 1024, 3, U(5), U(0x1000), U(1024));
	test_blob(&ev, 1, SCAP_STATE_TRUNCATED, "GET / HT", 8, 1024);
	ev.file = &f;
	expect(&ev, "write 12.3us fd=5<127.0.0.1:40000->127.0.0.2:80> "
		    "data=\"GET / HT\"...(1024) size=1024 res=1024");
	scap_print_text(&ev, &opt, line, sizeof(line));
	cr_expect(strstr(line, "data=\"GET\"...(1024) "), "%s", line);
	ev.blobs[0].state = SCAP_STATE_REDACTED;
	ev.blobs[0].bytes = 0;
	cr_expect(strstr(text(&ev), "data=<redacted> "), "%s", line);
	ev.n_blobs = 0;
	test_str(&ev, 1, "caf\xc3\xa9\xc2\x9b\xe2\x80\xae\\");
	cr_expect(strstr(text(&ev), "data=\"caf\xc3\xa9\\xc2\\x9b\\xe2\\x80\\xae\\\\\" "), "%s",
		  line);
}

Test(print, exec_and_clone)
{
	static const uint64_t clone_args[8] = { 0x100 | 0x200, 0, 0, 0, 17, 0x7000, 0x100, 0 };
	static const uint64_t open_how[3] = { 0100, 0600, 8 };
	struct scap_event ev;
	struct scap__file f;

	test_file(&f, "/usr/bin/dash");
	test_call(&ev, X64, "execve", 0, 3, U(0x1000), U(0x2000), U(0));
	test_blob(&ev, 1, SCAP_STATE_WHOLE, "sh\0-c\0a \"b\"\0", 12, 12);
	test_str(&ev, SCAP_SLOT_FILENAME, "/bin/sh");
	ev.file = &f;
	expect(&ev, "execve 12.3us filename=/bin/sh resolved=/usr/bin/dash "
		    "argv=[\"sh\", \"-c\", \"a \\\"b\\\"\"] envp=NULL res=0");

	test_call(&ev, X64, "clone3", 4712, 2, U(0x1000), U(88));
	test_blob(&ev, 0, SCAP_STATE_WHOLE, clone_args, 64, 64);
	expect(&ev, "clone3 12.3us args={flags=CLONE_VM|CLONE_FS, exit_signal=SIGCHLD, "
		    "stack=0x7000, stack_size=0x100} size=88 res=4712");

	test_call(&ev, X64, "clone", 0, 5, U(0x11), U(0), U(0xdead), U(0xdead), U(0xdead));
	ev.flags = SCAP_CALL_CHILD | SCAP_CALL_NO_ENTRY;
	ev.latency_ns = SCAP_LATENCY_NONE;
	expect(&ev, "clone - flags=SIGCHLD stack=NULL res=0 [child]");
	ev.args[0] = 0x1000000 | 17;
	expect(&ev, "clone - flags=CLONE_CHILD_SETTID|SIGCHLD stack=NULL child_tid=0xdead res=0 "
		    "[child]");

	test_call(&ev, X64, "openat2", -2, 4, CWD, U(0x1000), U(0x2000), U(24));
	test_str(&ev, 1, "nope");
	test_blob(&ev, 2, SCAP_STATE_WHOLE, open_how, 24, 24);
	expect(&ev, "openat2 12.3us dirfd=AT_FDCWD name=nope how={flags=O_RDONLY|O_CREAT, "
		    "mode=0600, resolve=RESOLVE_BENEATH} size=24 res=ENOENT(-2)");
}

static void expect_status(uint32_t status, const char *want)
{
	struct scap_event ev;
	char all[200];

	test_call(&ev, X64, "wait4", 99, 4, U(0xffffffff), U(0x1000), U(1), U(0));
	test_blob(&ev, 1, SCAP_STATE_WHOLE, &status, 4, 4);
	snprintf(all, sizeof(all), "wait4 12.3us pid=-1 status=%s options=WNOHANG rusage=NULL "
				   "res=99", want);
	expect(&ev, all);
}

Test(print, wait_status)
{
	expect_status(0, "exited(0)");
	expect_status(0x300, "exited(3)");
	expect_status(9, "killed(SIGKILL)");
	expect_status(0x8b, "killed(SIGSEGV,core)");
	expect_status(0x137f, "stopped(SIGSTOP)");
	expect_status(0xffff, "continued");
}

static void expect_address(const void *addr, size_t n, const char *want)
{
	struct scap_event ev;
	char all[300];

	test_call(&ev, X64, "connect", -111, 3, U(3), U(0x1000), U(n));
	test_blob(&ev, 1, SCAP_STATE_WHOLE, addr, n, n);
	snprintf(all, sizeof(all), "connect 12.3us fd=3 addr=%s addrlen=%zu "
				   "res=ECONNREFUSED(-111)", want, n);
	expect(&ev, all);
}

Test(print, addresses)
{
	expect_address("\2\0\x1f\x90\x7f\0\0\1\0\0\0\0\0\0\0\0", 16, "127.0.0.1:8080");
	expect_address("\2\0\x1f\x90\x7f", 5, "AF_INET:\"\\x1f\\x90\\x7f\"");
	expect_address("\12\0\0\x50\0\0\0\0\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0", 28,
		       "[2001:db8::1]:80");
	expect_address("\12\0\0\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0", 28,
		       "[::1]:80");
	expect_address("\12\0\0\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xa\0\0\1\0\0\0\0", 28,
		       "10.0.0.1:80");
	expect_address("\12\0\0\x50\0\0\0\0\x20\1\0\0\0\1\0\1\0\0\0\0\0\1\0\1\0\0\0\0", 28,
		       "[2001:0:1:1::1:1]:80");
	expect_address("\12\0\0\x50\0\0\0\0\0\1\0\0\0\1\0\1\0\1\0\1\0\1\0\1\0\0\0\0", 28,
		       "[1:0:1:1:1:1:1:1]:80");
	expect_address("\1\0/run/x\0junk", 13, "/run/x");
	expect_address("\1\0\0abs\n", 7, "@abs\\n");
	expect_address("\1\0", 2, "AF_UNIX");
	expect_address("\20\0\0\0\7\0\0\0\1\0\0\0", 12, "netlink:7:0x1");
	expect_address("\0\0\0\0", 4, "AF_UNSPEC");
	expect_address("", 0, "");
}

Test(print, sockets)
{
	struct scap_event ev;
	struct scap__file conn, listener, un;

	test_sock(&conn, 80, 40000);
	test_sock(&listener, 80, 0);
	test_call(&ev, X64, "accept4", 7, 4, U(3), U(0), U(0), U(04000));
	ev.file = &conn;
	ev.file2 = &listener;
	expect(&ev, "accept4 12.3us fd=3<127.0.0.1:80> addr=NULL addrlen=NULL "
		    "flags=SOCK_NONBLOCK res=7<127.0.0.1:80->127.0.0.2:40000>");
	/* With a table of its own nobody can have closed either. */
	ev.cookie = 1;
	ev.file2 = NULL;
	cr_expect(strstr(text(&ev), " res=7<127.0.0.1:80->127.0.0.2:40000>"), "%s", line);
	/* One cookie of two, and another thread could have closed either: no name. */
	ev.flags = SCAP_CALL_FD_SHARED;
	ev.cookie = 1;
	ev.file = &listener;
	ev.file2 = NULL;
	cr_expect(strstr(text(&ev), " fd=3 addr="), "%s", line);
	cr_expect(strstr(line, " res=7"), "%s", line);
	cr_expect(!strstr(line, "<127"), "%s", line);
	ev.cookie2 = 2;
	ev.file2 = &conn;
	cr_expect(strstr(text(&ev), " res=7<127.0.0.1:80>"), "%s", line);
	ev.flags = 0;
	ev.cookie = ev.cookie2 = 0;
	ev.ret = -11;
	ev.file = &listener;
	ev.file2 = NULL;
	expect(&ev, "accept4 12.3us fd=3<127.0.0.1:80> addr=NULL addrlen=NULL "
		    "flags=SOCK_NONBLOCK res=EAGAIN(-11)");

	memset(&un, 0, sizeof(un));
	un.kind = SCAP_KIND_UNIX;
	un.ino = 5;
	test_call(&ev, X64, "socket", 4, 3, U(1), U(02000001), U(0));
	ev.file = &un;
	expect(&ev, "socket 12.3us domain=AF_UNIX type=SOCK_STREAM|SOCK_CLOEXEC proto=0 "
		    "res=4<unix:[5]>");
	un.sun_remote = (const uint8_t *)"/run/db";
	un.sock.remote_len = 7;
	cr_expect(strstr(text(&ev), "res=4<->/run/db>"), "%s", line);
	un.sun_local = (const uint8_t *)"\0x";
	un.sock.local_len = 2;
	cr_expect(strstr(text(&ev), "res=4<@x->/run/db>"), "%s", line);
	ev.args[0] = 2;
	cr_expect(strstr(text(&ev), "proto=IPPROTO_IP "), "%s", line);
}

Test(print, messages)
{
	struct scap_event ev;

	test_call(&ev, X64, "recvmsg", 5, 3, U(3), U(0x1000), U(0x40));
	test_str(&ev, 1, "hello");
	test_blob(&ev, SCAP_SLOT_NAME, SCAP_STATE_WHOLE, "\2\0\0\x35\x8\x8\x8\x8", 8, 16);
	expect(&ev, "recvmsg 12.3us fd=3 msg=\"hello\" addr=8.8.8.8:53 flags=MSG_DONTWAIT res=5");
}

Test(print, descriptors)
{
	struct scap_event ev;
	struct scap__file a, b;
	int32_t fds[2] = { 3, 4 };

	test_file(&a, "pipe:[9]");
	a.kind = SCAP_KIND_FIFO;
	b = a;
	test_call(&ev, X64, "pipe2", 0, 2, U(0x1000), U(02000000));
	test_blob(&ev, 0, SCAP_STATE_WHOLE, fds, 8, 8);
	ev.file = &a;
	ev.file2 = &b;
	expect(&ev, "pipe2 12.3us fds=[3<pipe:[9]>, 4<pipe:[9]>] flags=O_CLOEXEC res=0");

	test_call(&ev, X64, "dup2", 9, 2, U(3), U(9));
	ev.file = &a;
	ev.file2 = &b;
	expect(&ev, "dup2 12.3us oldfd=3<pipe:[9]> newfd=9<pipe:[9]> res=9<pipe:[9]>");

	test_call(&ev, X64, "fcntl", 10, 3, U(3), U(1030), U(10));
	ev.file = &a;
	expect(&ev, "fcntl 12.3us fd=3<pipe:[9]> cmd=F_DUPFD_CLOEXEC arg=10 res=10<pipe:[9]>");
	test_call(&ev, X64, "fcntl", 2, 3, U(3), U(3), U(0xdeadbeef));
	expect(&ev, "fcntl 12.3us fd=3 cmd=F_GETFL res=O_RDWR");
	test_call(&ev, X64, "fcntl", 0, 3, U(3), U(4), U(04001));
	expect(&ev, "fcntl 12.3us fd=3 cmd=F_SETFL arg=O_WRONLY|O_NONBLOCK res=0");
	test_call(&ev, X64, "mmap", 0x7f0000001000, 6, U(0), U(4096), U(3), U(0x22), U(0xffffffff),
		  U(0));
	expect(&ev, "mmap 12.3us addr=NULL length=4096 prot=PROT_READ|PROT_WRITE "
		    "flags=MAP_PRIVATE|MAP_ANONYMOUS fd=-1 offset=0 res=0x7f0000001000");
	ev.ret = -12;
	cr_expect(strstr(text(&ev), " res=ENOMEM(-12)"), "%s", line);
	ev.ret = -4096;
	cr_expect(strstr(text(&ev), " res=0xfffffffffffff000"), "%s", line);
}

Test(print, results_and_marks)
{
	struct scap_event ev;

	test_call(&ev, X64, "nanosleep", -516, 2, U(0x10), U(0));
	expect(&ev, "nanosleep 12.3us rqtp=0x10 rmtp=NULL res=ERESTART_RESTARTBLOCK(-516)");
	ev.ret = -512;
	ev.flags = SCAP_CALL_NO_ENTRY;
	ev.more = SCAP_MORE_MIDCALL | SCAP_MORE_ARGS_LOST;
	expect(&ev, "nanosleep 12.3us res=ERESTARTSYS(-512) [mid-call] [args lost]");
	test_call(&ev, SCAP_ABI_I386, "getpid", 7, 0);
	ev.flags = SCAP_CALL_TRAPPED | SCAP_CALL_NO_ENTRY;
	ev.latency_ns = SCAP_LATENCY_NONE;
	expect(&ev, "getpid - res=trapped [i386] [no entry]");
	test_call(&ev, X64, "exit_group", 0, 1, U(3));
	ev.type = SCAP_REC_ENTER;
	ev.latency_ns = SCAP_LATENCY_NONE;
	expect(&ev, "exit_group - status=3 res=?");
	test_call(&ev, X64, "rt_sigreturn", -4, 0);
	expect(&ev, "rt_sigreturn 12.3us res=?");
	test_call(&ev, X64, "getpid", -4000, 0);
	expect(&ev, "getpid 12.3us res=-4000");
	test_call(&ev, X64, "kill", -1, 2, U(0xffffffffffffffff), U(9));
	expect(&ev, "kill 12.3us pid=-1 sig=SIGKILL res=EPERM(-1)");
}

Test(print, unknown_call)
{
	struct scap_event ev;

	test_call(&ev, X64, "nosuchcall", -38, 6, U(1), U(2), U(3), U(4), U(5),
		  U(0xffffffffffffffff));
	strcpy(ev.name_buf, "syscall_999");
	expect(&ev, "syscall_999 12.3us arg0=0x1 arg1=0x2 arg2=0x3 arg3=0x4 arg4=0x5 "
		    "arg5=0xffffffffffffffff res=ENOSYS(-38)");
}

static void other(struct scap_event *ev, unsigned type)
{
	test_call(ev, X64, "getpid", 0, 0);
	ev->sc = NULL;
	ev->type = (uint8_t)type;
	ev->nr = INT64_MIN;
	ev->latency_ns = SCAP_LATENCY_NONE;
	ev->name_buf[0] = '\0';
	memset(&ev->u, 0, sizeof(ev->u));
}

Test(print, events_that_are_no_calls)
{
	struct scap_event ev;
	struct scap__file f;

	other(&ev, SCAP_REC_FORK);
	ev.u.fork.tgid = 4700;
	ev.u.fork.child_tid = ev.u.fork.child_tgid = ev.u.fork.child_vtid = 4712;
	ev.u.fork.n_levels = 1;
	ev.u.fork.exit_signal = 17;
	expect(&ev, "procfork - child_tid=4712 child_pid=4712 kind=process flags=0 "
		    "exit_signal=SIGCHLD");
	ev.u.fork.child_tgid = 4700;
	ev.u.fork.child_vtid = 2;
	ev.u.fork.exit_signal = -1;
	ev.u.fork.clone_flags = 0x10100;
	ev.u.fork.n_levels = 3;
	memcpy(ev.u.fork.child_ids, (uint32_t[3]){ 4712, 40, 2 }, 12);
	expect(&ev, "procfork - child_tid=4712 child_pid=4700 child_vtid=2 kind=thread "
		    "flags=CLONE_VM|CLONE_THREAD child_ids=4712/40/2");
	other(&ev, SCAP_REC_EXEC);
	ev.u.exec.old_tid = 4711;
	test_str(&ev, SCAP_SLOT_FILENAME, "./run");
	test_file(&f, "/srv/run");
	ev.file = &f;
	expect(&ev, "procexec - filename=./run exe=/srv/run");
	ev.flags = SCAP_EXEC_SECURE | SCAP_EXEC_BEFORE;
	ev.u.exec.before.euid = 1000;
	expect(&ev, "procexec - filename=./run exe=/srv/run flags=secure euid=0 old_euid=1000");
	other(&ev, SCAP_REC_EXIT);
	ev.u.exit.status = 0x8b;
	ev.u.exit.group_dead = 1;
	ev.u.exit.group_status = 0x8b;
	expect(&ev, "procexit - status=killed(SIGSEGV,core) last_thread=true");
	ev.thread = NULL;
	cr_expect(strstr(text(&ev), " <NA> (4711) procexit"), "%s", line);
}

Test(print, signals)
{
	struct scap_event ev;

	other(&ev, SCAP_REC_SIGNAL);
	ev.u.event = (struct scap__event){
		.target_tid = 5, .target_tgid = 4, .signo = 11, .code = 1, .value = 0x10,
		.value_kind = SCAP_SIGVAL_ADDR,
	};
	expect(&ev, "signal - sig=SIGSEGV target_tid=5 target_pid=4 code=SEGV_MAPERR addr=0x10 "
		    "result=delivered");
	ev.flags = SCAP_EVENT_IRQ | SCAP_SIGNAL_GROUP;
	ev.u.event = (struct scap__event){
		.target_tid = 5, .target_tgid = 4, .signo = 77, .code = -99, .late_ns = 300,
		.value_kind = 9, .result = 9,
	};
	expect(&ev, "signal - sig=77 target_tid=5 target_pid=4 code=-99 result=9 "
		    "whole_process=true interrupt=true late_ns=300");
	other(&ev, SCAP_REC_SIGDELIVER);
	ev.u.event = (struct scap__event){
		.signo = 17, .code = 1, .value = 3, .value_kind = SCAP_SIGVAL_STATUS,
		.action = SCAP_SIGACT_HANDLER, .handler = 0x401000,
	};
	expect(&ev, "signaldeliver - sig=SIGCHLD code=CLD_EXITED child_status=3 action=handler "
		    "handler=0x401000");
}

Test(print, other_events)
{
	struct scap_event ev;

	other(&ev, SCAP_REC_OOM);
	ev.u.event = (struct scap__event){ .target_tid = 5, .target_tgid = 4, .uid = 1000,
					   .vm_kib = 9, .anon_kib = 8, .score_adj = -5,
					   .name = "big one" };
	expect(&ev, "oomkill - victim=\"big one\" target_tid=5 target_pid=4 victim_uid=1000 "
		    "vm_kib=9 anon_kib=8 file_kib=0 shmem_kib=0 score_adj=-5");
	other(&ev, SCAP_REC_MODULE);
	ev.u.event = (struct scap__event){ .name = "overlay" };
	expect(&ev, "module - module=overlay action=load taints=0x0");
	ev.flags = SCAP_MODULE_UNLOAD;
	expect(&ev, "module - module=overlay action=unload taints=0x0");
	other(&ev, SCAP_REC_CGROUP);
	ev.u.event = (struct scap__event){ .target_tid = 5, .target_tgid = 5, .cgroup_id = 77 };
	test_str(&ev, SCAP_SLOT_CGROUP, "/a");
	expect(&ev, "cgroupmove - target_tid=5 target_pid=5 cgroup=/a cgroup_id=77");
	other(&ev, SCAP_REC_SWITCH);
	ev.u.event = (struct scap__event){ .target_tid = 5, .target_tgid = 4, .state = 0x102 };
	expect(&ev, "switch - next_tid=5 next_pid=4 state=uninterruptible|killable");
	other(&ev, SCAP_REC_WAKE);
	ev.u.event = (struct scap__event){ .target_tid = 5, .target_tgid = 4 };
	expect(&ev, "wakeup - target_tid=5 target_pid=4");
	other(&ev, SCAP_REC_FAULT);
	ev.u.event = (struct scap__event){ .address = 0x1000, .ip = 0x2000, .error = 6 };
	expect(&ev, "page_fault - addr=0x1000 ip=0x2000 error=write|user");
}

/* What the line leaves out is there for JSON. */
Test(print, exec_in_json)
{
	struct scap_event ev;
	char buf[8192];

	other(&ev, SCAP_REC_EXEC);
	ev.u.exec.old_tid = ev.tid;
	ev.u.exec.loginuid = UINT32_MAX;
	ev.u.exec.exe_mode = 0104755;
	ev.flags = SCAP_EXEC_WRITABLE;
	test_blob(&ev, SCAP_SLOT_ARGV, SCAP_STATE_WHOLE, "a\0b c", 6, 6);
	test_blob(&ev, SCAP_SLOT_ENV, SCAP_STATE_TRUNCATED, "X=1\0Y", 5, 100);
	scap_print_json(&ev, NULL, buf, sizeof(buf));
	cr_expect(strstr(buf, "\"argv\":[\"a\",\"b c\"]"), "%s", buf);
	cr_expect(strstr(buf, "\"env\":[\"X=1\",\"Y\"]"), "%s", buf);
	cr_expect(strstr(buf, "\"states\":{\"env\":{\"state\":\"truncated\",\"bytes\":5,"), "%s",
		  buf);
	cr_expect(strstr(buf, "\"loginuid\":-1"), "%s", buf);
	cr_expect(strstr(buf, "\"exe_mode\":\"0104755\""), "%s", buf);
	cr_expect(strstr(buf, "\"flags\":\"writable\""), "%s", buf);
	cr_expect_not(strstr(buf, "old_euid"), "%s", buf);
}

static void make_gap(struct scap_event *ev, const struct scap_tally *tally, uint32_t n)
{
	other(ev, SCAP_REC_GAP);
	ev->num = 0;
	ev->u.gap.first_ns = 4000;
	ev->u.gap.last_ns = 4500;
	ev->u.gap.n_lost = 1234;
	ev->u.gap.n_tally = n;
	ev->u.gap.tally = (const uint8_t *)tally;
}

Test(print, gap)
{
	static const struct scap_tally tally[] = {
		{ SCAP_TALLY_KEY(SCAP_REC_CALL, 0, 1), 233 },
		{ SCAP_TALLY_KEY(SCAP_REC_CALL, 0, 0), 1000 },
		{ SCAP_TALLY_KEY(SCAP_REC_EXIT, 0, 0), 1 },
	};
	struct scap_tally many[40];
	struct scap_event ev;

	make_gap(&ev, tally, 3);
	cr_expect_str_eq(text(&ev), "INCOMPLETE 1234 events lost on cpu 1 between "
				    "22:13:20.123455789 and 22:13:20.123456289: "
				    "read 1000, write 233, procexit 1");
	for (unsigned i = 0; i < 40; i++)
		many[i] = (struct scap_tally){ SCAP_TALLY_KEY(SCAP_REC_CALL, 0, i), 2 };
	make_gap(&ev, many, 40);
	cr_expect(strstr(text(&ev), ", rt_sigreturn 2, others 48"), "%s", line);
}

Test(print, gap_that_nothing_explains)
{
	struct scap_print_options opt = { .size = sizeof(opt) };
	struct scap_event ev;

	make_gap(&ev, NULL, 0);
	scap_print_json(&ev, &opt, line, sizeof(line));
	cr_expect_not(strstr(line, "unexplained"), "%s", line);
	ev.u.gap.unexplained = true;
	cr_expect_str_eq(text(&ev), "INCOMPLETE 1234 events missing on cpu 1 between "
				    "22:13:20.123455789 and 22:13:20.123456289, "
				    "without a record of what they were");
	scap_print_json(&ev, &opt, line, sizeof(line));
	cr_expect(strstr(line, "\"lost\":1234"), "%s", line);
	cr_expect(strstr(line, "\"lost_types\":{},\"unexplained\":true}"), "%s", line);
}

Test(print, times)
{
	struct scap_event ev;
	struct scap_print_options opt = { .size = sizeof(opt), .utc_offset_s = -3600 };

	test_call(&ev, X64, "getpid", 1, 0);
	scap_print_text(&ev, &opt, line, sizeof(line));
	cr_expect(!strncmp(line, "12 21:13:20.123456789 ", 22), "%s", line);
	opt.time_format = SCAP_TIME_RELATIVE;
	opt.start_wall_ns = T0 - 1000000005;
	scap_print_text(&ev, &opt, line, sizeof(line));
	cr_expect(!strncmp(line, "12 1.000000005 ", 15), "%s", line);
	opt.time_format = SCAP_TIME_DELTA;
	opt.prev_wall_ns = T0 + 7;
	scap_print_text(&ev, &opt, line, sizeof(line));
	cr_expect(!strncmp(line, "12 -0.000000007 ", 16), "%s", line);
}

Test(print, dates)
{
	static const struct { uint64_t s; const char *want; } cases[] = {
		{ 0, "\"1970-01-01T00:00:00." }, { 951782399, "\"2000-02-28T23:59:59." },
		{ 951782400, "\"2000-02-29T00:00:00." }, { 951868800, "\"2000-03-01T00:00:00." },
		{ 1704067199, "\"2023-12-31T23:59:59." }, { 4107542400, "\"2100-03-01T00:00:00." },
	};
	struct scap_event ev;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_call(&ev, X64, "getpid", 1, 0);
		ev.wall_ns = cases[i].s * 1000000000;
		scap_print_json(&ev, NULL, line, sizeof(line));
		cr_expect(strstr(line, cases[i].want), "%s: %s", cases[i].want, line);
	}
}

/* What is shown as it is, and what is escaped. */
Test(print, characters)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "\xc3\xa9", "\xc3\xa9" }, { "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\xc0\xaf", "\\xc0\\xaf" }, { "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xf0\x80\x80\x80", "\\xf0\\x80\\x80\\x80" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, { "\xc3", "\\xc3" },
		{ "\xe2\x82", "\\xe2\\x82" }, { "\xc3z", "\\xc3z" }, { "\x7f", "\\x7f" },
		{ "\xc2\x85", "\\xc2\\x85" }, { "\xe2\x80\xa8", "\\xe2\\x80\\xa8" },
		{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6" }, { "a\tb\r", "a\\tb\\r" },
	};
	struct scap_event ev;
	char want[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_call(&ev, X64, "write", 1, 3, U(1), U(1), U(1));
		test_str(&ev, 1, cases[i].in);
		snprintf(want, sizeof(want), " data=\"%s\" ", cases[i].want);
		cr_expect(strstr(text(&ev), want), "%s: %s", want, line);
	}
}

Test(print, latencies)
{
	static const struct { uint64_t ns; const char *want; } cases[] = {
		{ 0, "0ns" }, { 999, "999ns" }, { 1000, "1.0us" }, { 99999, "99.9us" },
		{ 100000, "100us" }, { 1000000, "1.0ms" }, { 1234567890, "1.2s" },
		{ 500000000000, "500s" },
	};
	struct scap_event ev;
	char want[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_call(&ev, X64, "getpid", 1, 0);
		ev.latency_ns = cases[i].ns;
		snprintf(want, sizeof(want), "getpid %s res=1", cases[i].want);
		expect(&ev, want);
	}
}

/* Whatever the room, the length is that of the whole text and the buffer holds its beginning. */
Test(print, cut_at_every_length)
{
	struct scap_event ev;
	char whole[512], part[512];
	size_t n;

	test_call(&ev, X64, "openat", -2, 4, CWD, U(0x1000), U(0), U(0));
	test_str(&ev, 1, "/a \xff");
	for (int json = 0; json < 2; json++) {
		size_t (*print)(const struct scap_event *, const struct scap_print_options *,
				char *, size_t) = json ? scap_print_json : scap_print_text;

		n = print(&ev, NULL, whole, sizeof(whole));
		cr_assert_lt(n, sizeof(whole));
		for (size_t cap = 0; cap <= n + 1; cap++) {
			memset(part, 'Z', sizeof(part));
			cr_expect_eq(print(&ev, NULL, part, cap), n);
			if (!cap)
				continue;
			cr_expect_eq(strlen(part), cap - 1);
			cr_expect(!memcmp(part, whole, cap - 1));
			cr_expect_eq(part[cap], 'Z');
		}
	}
}

Test(print, color)
{
	struct scap_event ev;
	struct scap_print_options opt = { .size = sizeof(opt), .flags = SCAP_PRINT_COLOR };

	test_call(&ev, X64, "getpid", -1, 0);
	scap_print_text(&ev, &opt, line, sizeof(line));
	cr_expect_str_eq(line, "12 22:13:20.123456789 1 \033[32mhttpd\033[0m (4711) "
			       "\033[36mgetpid\033[0m 12.3us res=\033[31mEPERM(-1)\033[0m");
}

static const char *json(const struct scap_event *ev)
{
	scap_print_json(ev, NULL, line, sizeof(line));
	return line;
}

Test(print, json_call)
{
	struct scap_event ev;
	struct scap__file f;

	test_sock(&f, 40000, 80);
	test_call(&ev, X64, "write", 1024, 3, U(5), U(0x1000), U(1024));
	test_blob(&ev, 1, SCAP_STATE_TRUNCATED, "a\"\n\x1b", 4, 1024);
	ev.file = &f;
	cr_expect_str_eq(json(&ev),
		"{\"num\":12,\"time_ns\":1700000000123456789,"
		"\"time\":\"2023-11-14T22:13:20.123456789Z\",\"cpu\":1,\"type\":\"write\","
		"\"proc\":\"httpd\",\"pid\":4700,\"ppid\":1,\"uid\":1000,\"tid\":4711,"
		"\"abi\":\"x86_64\",\"latency_ns\":12345,\"res\":1024,"
		"\"args\":{\"fd\":\"5<127.0.0.1:40000->127.0.0.2:80>\","
		"\"data\":\"a\\\"\\n\\u001b\",\"size\":1024},"
		"\"states\":{\"data\":{\"state\":\"truncated\",\"bytes\":4,\"orig_bytes\":1024}},"
		"\"raw_args\":[\"0x5\",\"0x1000\",\"0x400\"],"
		"\"fd\":{\"num\":5,\"name\":\"127.0.0.1:40000->127.0.0.2:80\",\"type\":\"ipv4\","
		"\"local_ip\":\"127.0.0.1\",\"local_port\":40000,\"remote_ip\":\"127.0.0.2\","
		"\"remote_port\":80,\"dev\":0,\"ino\":99}}");
}

Test(print, json_bytes)
{
	struct scap_event ev;

	test_call(&ev, X64, "openat", -2, 4, CWD, U(0x1000), U(0), U(0));
	test_str(&ev, 1, "\xff\xfe" "ab");
	cr_expect(strstr(json(&ev), "\"name_b64\":\"//5hYg==\""), "%s", line);
	cr_expect(strstr(line, "\"res\":-2,\"errno\":\"ENOENT\""), "%s", line);
	ev.n_blobs = 0;
	test_str(&ev, 1, "\xe2\x80\xae\xc2\x9b\x7f\xc3\xa9");
	cr_expect(strstr(json(&ev), "\"name\":\"\\u202e\\u009b\\u007f\xc3\xa9\""), "%s", line);
	test_call(&ev, X64, "execve", 0, 3, U(1), U(2), U(0));
	test_blob(&ev, 1, SCAP_STATE_WHOLE, "sh\0\xff\0", 5, 5);
	ev.flags = SCAP_CALL_FD_SHARED | SCAP_CALL_NO_ENTRY;
	ev.latency_ns = SCAP_LATENCY_NONE;
	cr_expect(strstr(json(&ev), "\"argv\":[\"sh\",\"\\ufffd\"]"), "%s", line);
	cr_expect(strstr(line, "\"flags\":[\"no_entry\",\"fd_shared\"]"), "%s", line);
	cr_expect(strstr(line, "\"latency_ns\":null"), "%s", line);
}

Test(print, json_gap)
{
	static const struct scap_tally tally[] = { { SCAP_TALLY_KEY(SCAP_REC_CALL, 0, 0), 1234 } };
	struct scap_event ev;

	make_gap(&ev, tally, 1);
	cr_expect_str_eq(json(&ev),
		"{\"num\":0,\"time_ns\":1700000000123456789,"
		"\"time\":\"2023-11-14T22:13:20.123456789Z\",\"cpu\":1,\"type\":\"gap\","
		"\"lost\":1234,\"first_ns\":1700000000123455789,\"last_ns\":1700000000123456289,"
		"\"first_time\":\"2023-11-14T22:13:20.123455789Z\","
		"\"last_time\":\"2023-11-14T22:13:20.123456289Z\",\"lost_types\":{\"read\":1234}}");
}
