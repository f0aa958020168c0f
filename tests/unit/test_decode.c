/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "format/event.h"
#include "support_rows.h"

static struct scap_event ev;
static const char *what;

/* From memory of exactly its size, so that a read beyond it is seen. */
static int decode(const void *p, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);
	int rc;

	memcpy(exact, p, n);
	what = NULL;
	rc = scap__event_decode(exact, n, &ev, &what);
	if (rc < 0) {
		cr_assert_eq(rc, SCAP_EDAMAGED);
		cr_assert_not_null(what);
	}
	free(exact);
	return rc;
}

static void put64(struct rows *r, uint64_t v)
{
	rows_put(r, &v, sizeof(v));
}

/* A CALL with everything that can be optional. */
static void put_full_call(struct rows *r, uint8_t shape)
{
	struct scap_rec_call c = { .tid = 77, .latency_ns = 5, .ret = -7, .nr = 1, .shape = shape,
				   .more = SCAP_MORE_NO_STASH };
	size_t at = rows_begin(r, SCAP_REC_CALL, SCAP_CALL_NR64 | SCAP_CALL_RET64 |
			       SCAP_CALL_LAT64 | SCAP_CALL_COOKIES, 9, 1234);

	rows_put(r, (uint8_t *)&c + 16, 16);
	put64(r, (uint64_t)-5);
	put64(r, 1ull << 40);
	put64(r, 1ull << 41);
	put64(r, 3ull << 32 | 2);
	for (unsigned i = 0; i < (shape & 7u); i++)
		put64(r, 1000 + i);
	rows_blob(r, 1, SCAP_STATE_TRUNCATED, "hello", 5, 900);
	rows_blob(r, 5, SCAP_STATE_UNREADABLE, "", 0, SCAP_LEN_UNKNOWN);
	rows_end(r, at);
}

Test(decode, call_with_everything)
{
	struct rows r = { 0 };
	const void *data;
	size_t bytes, orig;
	unsigned state;

	put_full_call(&r, SCAP_SHAPE(SCAP_ABI_X86_64, 6));
	cr_assert_eq(scap__event_decode(r.p, r.n, &ev, &what), 0, "%s", what);
	cr_assert_eq(scap_event_tid(&ev), 77);
	cr_assert_eq(scap_event_nr(&ev), -5);
	cr_assert_eq(scap_event_ret(&ev), 1ll << 40);
	cr_assert_eq(scap_event_latency_ns(&ev), 1ull << 41);
	cr_assert_eq(ev.cookie, 2);
	cr_assert_eq(ev.cookie2, 3);
	cr_assert_eq(scap_event_n_args(&ev), 6);
	cr_assert_eq(scap_event_arg(&ev, 5), 1005);
	cr_assert_eq(scap_event_arg(&ev, 6), 0);
	cr_assert_eq(ev.seq, 9);
	cr_assert_eq(scap_event_raw_ns(&ev), 1234);
	cr_assert_eq(ev.more, SCAP_MORE_NO_STASH);
	cr_assert_str_eq(scap_event_name(&ev), "syscall_-5");
	cr_assert_eq(scap_event_bytes(&ev, 1, &data, &bytes, &orig, &state), 0);
	cr_assert_eq(bytes, 5);
	cr_assert_eq(orig, 900);
	cr_assert_eq(state, SCAP_STATE_TRUNCATED);
	cr_assert_eq(memcmp(data, "hello", 5), 0);
	cr_assert_eq(scap_event_bytes(&ev, 2, &data, &bytes, &orig, &state), 1);
	cr_assert_eq(scap__event_blob(&ev, 5)->orig_bytes, SCAP_LEN_UNKNOWN);
	rows_free(&r);
}

Test(decode, call_with_nothing)
{
	struct rows r = { 0 };

	put_full_call(&r, SCAP_SHAPE(SCAP_ABI_X86_64, 6));
	cr_assert_eq(decode(r.p, r.n), 0);
	r.n = 0;
	rows_call(&r, 1, 2, 3, 39, -13);
	cr_assert_eq(decode(r.p, r.n), 0);
	cr_assert_str_eq(scap_event_name(&ev), "getpid");
	cr_assert_eq(scap_event_ret(&ev), -13);
	cr_assert_eq(scap_event_latency_ns(&ev), 100);
	cr_assert_eq(ev.cookie, 0, "nothing is left over from the record before");
	cr_assert_eq(ev.n_blobs, 0);
	cr_assert_eq(ev.more, 0);
	rows_free(&r);
}

Test(decode, latency_unknown)
{
	struct rows r = { 0 };

	rows_call(&r, 1, 2, 3, 39, 0);
	memset(r.p + offsetof(struct scap_rec_call, latency_ns), 0xff, 4);
	cr_assert_eq(decode(r.p, r.n), 0);
	cr_assert_eq(scap_event_latency_ns(&ev), SCAP_LATENCY_NONE);
	rows_free(&r);
}

Test(decode, trapped_has_no_result)
{
	struct rows r = { 0 };

	rows_call(&r, 1, 2, 3, 39, 39);
	r.p[3] = SCAP_CALL_TRAPPED;
	cr_assert_eq(decode(r.p, r.n), 0);
	cr_assert_not(scap_event_has_ret(&ev));
	rows_free(&r);
}

static const char *name_of(uint8_t type, unsigned abi, uint16_t nr)
{
	struct rows r = { 0 };
	struct scap_rec_enter e = { .nr = nr, .shape = SCAP_SHAPE(abi, 0) };
	struct scap_rec_call c = { .nr = nr, .shape = SCAP_SHAPE(abi, 0) };
	size_t at = rows_begin(&r, type, 0, 0, 0);

	if (type == SCAP_REC_ENTER)
		rows_put(&r, (uint8_t *)&e + 16, 8);
	else
		rows_put(&r, (uint8_t *)&c + 16, 16);
	rows_end(&r, at);
	cr_assert_eq(decode(r.p, r.n), 0);
	rows_free(&r);
	return scap_event_name(&ev);
}

Test(decode, names)
{
	char buf[40];

	cr_assert_str_eq(name_of(SCAP_REC_CALL, SCAP_ABI_X86_64, 0), "read");
	cr_assert_str_eq(name_of(SCAP_REC_CALL, SCAP_ABI_I386, 3), "read");
	cr_assert_str_eq(name_of(SCAP_REC_CALL, SCAP_ABI_X32, 0), "read");
	cr_assert_str_eq(name_of(SCAP_REC_CALL, SCAP_ABI_X86_64, 9999), "syscall_9999");
	cr_assert_str_eq(name_of(SCAP_REC_ENTER, SCAP_ABI_X86_64, 59), "execve_enter");
	cr_assert_str_eq(name_of(SCAP_REC_ENTER, SCAP_ABI_X86_64, 322), "execveat_enter");
	cr_assert_str_eq(name_of(SCAP_REC_ENTER, SCAP_ABI_X86_64, 60), "exit");
	cr_assert_str_eq(name_of(SCAP_REC_ENTER, SCAP_ABI_X86_64, 231), "exit_group");
	cr_assert_str_eq(scap__event_type_name(SCAP_REC_FORK, 0, 0, buf, sizeof(buf)), "procfork");
	cr_assert_str_eq(scap__event_type_name(SCAP_REC_CALL, 0, 0xffff, buf, sizeof(buf)),
			 "syscall_65535");
	cr_assert_str_eq(scap__tally_name(SCAP_TALLY_KEY(SCAP_REC_CALL, 0, 0xffff), buf,
					  sizeof(buf)), "syscall_other");
	cr_assert_str_eq(scap__event_type_name(30, 0, 0, buf, sizeof(buf)), "type_30");
}

Test(table, rows)
{
	const struct scap__syscall *sc = scap__syscall_lookup(SCAP_ABI_X86_64, 257);

	cr_assert_str_eq(sc->name, "openat");
	cr_assert_eq(sc->ret_role, SCAP_ROLE_RET_FD);
	cr_assert_eq(sc->nargs, 4);
	cr_assert_eq(sc->args[1].role, SCAP_ROLE_PATH);
	cr_assert_str_eq(sc->args[3].name, "mode");
	sc = scap__syscall_lookup(SCAP_ABI_X86_64, 39);
	cr_assert_eq(sc->nargs, 0);
	cr_assert_eq(scap__syscall_lookup(SCAP_ABI_X32, 0x40000101),
		     scap__syscall_lookup(SCAP_ABI_X86_64, 257));
	cr_assert_null(scap__syscall_lookup(SCAP_ABI_X86_64, -1));
	cr_assert_null(scap__syscall_lookup(SCAP_ABI_X86_64, 1 << 20));
	cr_assert_null(scap__syscall_lookup(7, 0));
	cr_assert_eq(scap__syscall_nr(SCAP_ABI_X86_64, "openat"), 257);
	cr_assert_eq(scap__syscall_nr(SCAP_ABI_I386, "openat"), 295);
	cr_assert_eq(scap__syscall_nr(SCAP_ABI_X32, "openat"), 0x40000101);
	cr_assert_eq(scap__syscall_nr(SCAP_ABI_X86_64, "no_such_call"), -1);
}

Test(decode, process_records)
{
	struct rows r = { 0 };
	struct scap_rec_fork f = { .tid = 1, .tgid = 2, .child_tid = 3, .child_tgid = 4,
				   .child_start_ns = 5, .child_vtid = 6, .clone_flags = 1ull << 33,
				   .exit_signal = -1, .n_levels = 2, .child_ids = { 3, 6 } };
	size_t at = rows_begin(&r, SCAP_REC_FORK, 0, 0, 0);

	rows_put(&r, (uint8_t *)&f + 16, sizeof(f) - 16);
	rows_end(&r, at);
	cr_assert_eq(decode(r.p, r.n), 0);
	cr_assert_eq(ev.u.fork.child_tid, 3);
	cr_assert_eq(ev.u.fork.child_start_ns, 5);
	cr_assert_eq(ev.u.fork.clone_flags, 1ull << 33);
	cr_assert_eq(ev.u.fork.exit_signal, -1);
	cr_assert_eq(ev.u.fork.n_levels, 2);
	cr_assert_eq(ev.u.fork.child_ids[1], 6);
	cr_assert_eq(ev.u.fork.child_ids[7], 0);
	cr_assert_eq(scap_event_tgid(&ev), 2);
	cr_assert_eq(scap_event_nr(&ev), INT64_MIN);
	cr_assert_str_eq(scap_event_name(&ev), "procfork");
	rows_free(&r);
}

static int decode_rec(uint8_t type, uint8_t flags, const void *rec, size_t n)
{
	struct rows r = { 0 };
	size_t at = rows_begin(&r, type, flags, 0, 0);
	int rc;

	rows_put(&r, (const uint8_t *)rec + 16, n - 16);
	rows_end(&r, at);
	rc = decode(r.p, r.n);
	/* Not a word less. */
	if (r.n > 24) {
		uint16_t len8 = (uint16_t)(r.n / 8 - 1);

		memcpy(r.p, &len8, sizeof(len8));
		cr_assert_eq(scap__event_decode(r.p, r.n - 8, &(struct scap_event){ 0 }, &what),
			     SCAP_EDAMAGED);
	}
	rows_free(&r);
	return rc;
}

Test(decode, exec_and_exit)
{
	struct scap_rec_exec x = {
		.tid = 1, .old_tid = 2, .cookie = 3, .exe_mode = 0104755, .exe_size = 1ull << 40,
		.exe_ctime_ns = -5, .exe_mtime_ns = 6, .exe_uid = 7, .exe_gid = 8, .argc = 9,
		.envc = 10, .before = { .uid = 11, .fsgid = 12 }, .ids = { .uid = 13, .fsgid = 14 },
		.caps = { .permitted = 15, .ambient = 16 },
		.ns = { .mnt = 17, .time_for_children = 18 }, .loginuid = 19, .sessionid = 20,
		.sid = 21, .pgid = 22, .tty = 23, .cgroup_id = 24,
	};
	struct scap_rec_exit e = {
		.tid = 1, .status = 2, .start_ns = 3, .group_dead = 1, .group_status = 4,
		.thread = { .utime_ns = 5, .n_involuntary = 6 },
		.process = { .utime_ns = 7, .n_involuntary = 8 }, .max_rss_kib = 9,
	};

	cr_assert_eq(decode_rec(SCAP_REC_EXEC, SCAP_EXEC_MEMFD, &x, sizeof(x)), 0);
	cr_assert_eq(ev.flags, SCAP_EXEC_MEMFD);
	cr_assert_eq(ev.cookie, 3);
	cr_assert_eq(ev.u.exec.exe_mode, 0104755);
	cr_assert_eq(ev.u.exec.exe_size, 1ull << 40);
	cr_assert_eq(ev.u.exec.exe_ctime_ns, -5);
	cr_assert_eq(ev.u.exec.exe_gid, 8);
	cr_assert_eq(ev.u.exec.envc, 10);
	cr_assert_eq(ev.u.exec.before.uid, 11);
	cr_assert_eq(ev.u.exec.before.fsgid, 12);
	cr_assert_eq(ev.u.exec.ids.uid, 13);
	cr_assert_eq(ev.u.exec.ids.fsgid, 14);
	cr_assert_eq(ev.u.exec.caps.permitted, 15);
	cr_assert_eq(ev.u.exec.caps.ambient, 16);
	cr_assert_eq(ev.u.exec.ns.mnt, 17);
	cr_assert_eq(ev.u.exec.ns.time_for_children, 18);
	cr_assert_eq(ev.u.exec.loginuid, 19);
	cr_assert_eq(ev.u.exec.tty, 23);
	cr_assert_eq(ev.u.exec.cgroup_id, 24);
	cr_assert_eq(decode_rec(SCAP_REC_EXIT, 0, &e, sizeof(e)), 0);
	cr_assert_eq(ev.u.exit.group_status, 4);
	cr_assert_eq(ev.u.exit.thread.utime_ns, 5);
	cr_assert_eq(ev.u.exit.process.n_involuntary, 8);
	cr_assert_eq(ev.u.exit.max_rss_kib, 9);
}

Test(decode, signals)
{
	struct scap_rec_signal s = {
		.tid = 1, .late_ns = 2, .target_tid = 3, .target_tgid = 4, .target_start_ns = 5,
		.signo = 6, .code = -7, .value = 8, .value_kind = SCAP_SIGVAL_ADDR,
		.result = SCAP_SIGRES_LOST,
	};
	struct scap_rec_sigdeliver d = {
		.tid = 1, .signo = 64, .code = 9, .value = 10, .handler = 11, .sa_flags = 12,
		.value_kind = SCAP_SIGVAL_VALUE, .action = SCAP_SIGACT_HANDLER,
	};

	cr_assert_eq(decode_rec(SCAP_REC_SIGNAL, SCAP_EVENT_IRQ, &s, sizeof(s)), 0);
	cr_assert_eq(ev.tid, 1);
	cr_assert_eq(ev.u.event.late_ns, 2);
	cr_assert_eq(ev.u.event.target_tgid, 4);
	cr_assert_eq(ev.u.event.target_start_ns, 5);
	cr_assert_eq(ev.u.event.code, -7);
	cr_assert_eq(ev.u.event.value, 8);
	cr_assert_eq(ev.u.event.value_kind, SCAP_SIGVAL_ADDR);
	cr_assert_eq(ev.u.event.result, SCAP_SIGRES_LOST);
	cr_assert_eq(decode_rec(SCAP_REC_SIGDELIVER, 0, &d, sizeof(d)), 0);
	cr_assert_eq(ev.u.event.signo, 64);
	cr_assert_eq(ev.u.event.handler, 11);
	cr_assert_eq(ev.u.event.sa_flags, 12);
	cr_assert_eq(ev.u.event.action, SCAP_SIGACT_HANDLER);
	cr_assert_eq(ev.u.event.target_tid, 0, "nothing is left over from the record before");
}

/* Names fill their place without a NUL. */
Test(decode, other_events)
{
	struct scap_rec_oom o = { .victim_tgid = 1, .anon_kib = 2, .score_adj = -1000 };
	struct scap_rec_module m = { .taints = 0x1000 };
	struct scap_rec_cgroup c = { .target_tid = 3, .cgroup_id = 4, .hierarchy = 5 };
	struct scap_rec_switch s = { .tid = 6, .next_tid = 7, .next_tgid = 8, .state = 9 };
	struct scap_rec_wake w = { .target_tid = 10, .target_tgid = 11 };
	struct scap_rec_fault f = { .address = 12, .ip = 13, .error = 14 };

	memset(o.comm, 'o', sizeof(o.comm));
	memset(m.name, 'm', sizeof(m.name));
	cr_assert_eq(decode_rec(SCAP_REC_OOM, 0, &o, sizeof(o)), 0);
	cr_assert_eq(ev.u.event.target_tgid, 1);
	cr_assert_eq(ev.u.event.anon_kib, 2);
	cr_assert_eq(ev.u.event.score_adj, -1000);
	cr_assert_str_eq(ev.u.event.name, "oooooooooooooooo");
	cr_assert_eq(decode_rec(SCAP_REC_MODULE, 0, &m, sizeof(m)), 0);
	cr_assert_eq(ev.u.event.taints, 0x1000);
	cr_assert_eq(strlen(ev.u.event.name), 56);
	cr_assert_eq(decode_rec(SCAP_REC_CGROUP, 0, &c, sizeof(c)), 0);
	cr_assert_eq(ev.u.event.cgroup_id, 4);
	cr_assert_eq(ev.u.event.hierarchy, 5);
	cr_assert_eq(decode_rec(SCAP_REC_SWITCH, 0, &s, sizeof(s)), 0);
	cr_assert_eq(ev.u.event.target_tid, 7);
	cr_assert_eq(ev.u.event.state, 9);
	cr_assert_eq(decode_rec(SCAP_REC_WAKE, 0, &w, sizeof(w)), 0);
	cr_assert_eq(ev.u.event.target_tgid, 11);
	cr_assert_eq(decode_rec(SCAP_REC_FAULT, 0, &f, sizeof(f)), 0);
	cr_assert_eq(ev.u.event.address, 12);
	cr_assert_eq(ev.u.event.ip, 13);
	cr_assert_eq(ev.u.event.error, 14);
	cr_assert_str_eq(scap_event_name(&ev), "page_fault");
}

Test(decode, intro_and_file)
{
	struct rows r = { 0 };

	rows_intro(&r, 0, 0, 501, "httpd");
	cr_assert_eq(decode(r.p, r.n), 0);
	cr_assert_str_eq(ev.u.intro.comm, "httpd");
	cr_assert_eq(ev.u.intro.tgid, 500);
	cr_assert_eq(ev.u.intro.uid, 1000);
	cr_assert_eq(ev.u.intro.cgroup_id, 77);
	cr_assert_eq(ev.u.intro.ns_pid, 9);
	r.n = 0;
	rows_file(&r, 0, 0, 12, "/etc/passwd");
	cr_assert_eq(scap__event_decode(r.p, r.n, &ev, &what), 0);
	cr_assert_eq(ev.u.file_rec.cookie, 12);
	cr_assert_eq(ev.u.file_rec.path_bytes, 11);
	cr_assert_eq(memcmp(ev.u.file_rec.path, "/etc/passwd", 11), 0);
	cr_assert_eq(ev.u.file_rec.ino, 36);
	rows_free(&r);
}

/* A comm without its NUL must still end. */
Test(decode, comm_without_end)
{
	struct rows r = { 0 };

	rows_intro(&r, 0, 0, 501, "x");
	memset(r.p + offsetof(struct scap_rec_intro, comm), 'y', 16);
	cr_assert_eq(decode(r.p, r.n), 0);
	cr_assert_str_eq(ev.u.intro.comm, "yyyyyyyyyyyyyyyy");
	rows_free(&r);
}

static void put_socket(struct rows *r, uint16_t local_len, uint16_t remote_len, size_t sun_bytes)
{
	struct scap_rec_file f = { .cookie = 4, .kind = SCAP_KIND_UNIX };
	uint8_t blob[200] = { 0 };
	struct scap_sock s = { .family = 1, .local_port = 80, .local_len = local_len,
			       .remote_len = remote_len };
	size_t at = rows_begin(r, SCAP_REC_FILE, 0, 0, 0);

	memcpy(blob, &s, sizeof(s));
	for (size_t i = 0; i < sun_bytes; i++)
		blob[sizeof(s) + i] = 'a' + i;
	rows_put(r, (uint8_t *)&f + 16, sizeof(f) - 16);
	rows_blob(r, SCAP_SLOT_SOCK, 0, blob, sizeof(s) + sun_bytes,
		  (uint32_t)(sizeof(s) + sun_bytes));
	rows_end(r, at);
}

Test(decode, socket)
{
	struct rows r = { 0 };

	put_socket(&r, 3, 4, 7);
	cr_assert_eq(scap__event_decode(r.p, r.n, &ev, &what), 0);
	cr_assert_eq(ev.u.file_rec.sock.local_port, 80);
	cr_assert_eq(memcmp(ev.u.file_rec.sun_local, "abc", 3), 0);
	cr_assert_eq(memcmp(ev.u.file_rec.sun_remote, "defg", 4), 0);
	r.n = 0;
	put_socket(&r, 3, 5, 7);
	cr_assert_eq(decode(r.p, r.n), SCAP_EDAMAGED);
	r.n = 0;
	put_socket(&r, 8, 0, 7);
	cr_assert_eq(decode(r.p, r.n), SCAP_EDAMAGED);
	rows_free(&r);
}

Test(decode, gap)
{
	struct rows r = { 0 };
	struct scap_tally t[2] = { { SCAP_TALLY_KEY(SCAP_REC_CALL, 0, 39), 5 },
				   { SCAP_TALLY_KEY(SCAP_REC_EXIT, 0, 0), 2 } };

	rows_gap(&r, 17, 1, 10, t, 2);
	cr_assert_eq(decode(r.p, r.n), 0);
	cr_assert_eq(ev.u.gap.n_lost, 7);
	cr_assert_eq(ev.u.gap.first_seq, 10);
	cr_assert_eq(ev.u.gap.n_tally, 2);
	r.p[offsetof(struct scap_rec_gap, n_lost)]++;
	cr_assert_eq(decode(r.p, r.n), SCAP_EDAMAGED, "a tally that does not sum up");
	r.p[offsetof(struct scap_rec_gap, n_lost)]--;
	r.p[offsetof(struct scap_rec_gap, n_tally)]++;
	cr_assert_eq(decode(r.p, r.n), SCAP_EDAMAGED, "a tally beyond its record");
	rows_free(&r);
}

/* ---- what must be refused ------------------------------------------------------------------ */

Test(decode, nargs_seven)
{
	struct rows r = { 0 };

	put_full_call(&r, SCAP_SHAPE(SCAP_ABI_X86_64, 7));
	cr_assert_eq(decode(r.p, r.n), SCAP_EDAMAGED);
	rows_free(&r);
}

/* Two blobs behind a call without arguments. */
static int decode_blobs(uint32_t meta1, uint32_t orig1, uint32_t meta2, size_t tail)
{
	struct scap_rec_call c = { .tid = 1 };
	struct scap_blob b1 = { meta1, orig1 }, b2 = { meta2, 4 };
	struct rows r = { 0 };
	size_t at = rows_begin(&r, SCAP_REC_CALL, 0, 0, 0);
	int rc;

	rows_put(&r, (uint8_t *)&c + 16, 16);
	rows_put(&r, &b1, 8);
	rows_put(&r, "abcd\0\0\0", 8);
	rows_put(&r, &b2, 8);
	rows_put(&r, "abcd\0\0\0\0abcdefgh", tail);
	rows_end(&r, at);
	rc = decode(r.p, r.n);
	rows_free(&r);
	return rc;
}

Test(decode, blobs)
{
	uint32_t b1 = SCAP_BLOB_META(1, 0, 4), b2 = SCAP_BLOB_META(2, 0, 4);

	cr_assert_eq(decode_blobs(b1, 4, b2, 8), 0);
	cr_assert_eq(decode_blobs(b2, 4, b1, 8), SCAP_EDAMAGED, "descending");
	cr_assert_eq(decode_blobs(b1, 4, b1, 8), SCAP_EDAMAGED, "twice");
	cr_assert_eq(decode_blobs(b1, 4, SCAP_BLOB_META(SCAP_SLOTS, 0, 4), 8), SCAP_EDAMAGED);
	cr_assert_eq(decode_blobs(b1, 4, SCAP_BLOB_META(2, 4, 4), 8), SCAP_EDAMAGED, "state");
	cr_assert_eq(decode_blobs(b1, 3, b2, 8), SCAP_EDAMAGED, "longer than its original");
	cr_assert_eq(decode_blobs(b1, SCAP_LEN_UNKNOWN, b2, 8), 0);
	cr_assert_eq(decode_blobs(b1, 4, SCAP_BLOB_META(2, 0, 9), 8), SCAP_EDAMAGED, "beyond");
	cr_assert_eq(decode_blobs(b1, 4, SCAP_BLOB_META(2, 0, 0xfffff), 8), SCAP_EDAMAGED);
	cr_assert_eq(decode_blobs(b1, 4, b2, 0), SCAP_EDAMAGED, "its bytes are missing");
	cr_assert_eq(decode_blobs(b1, 4, b2, 16), SCAP_EDAMAGED, "bytes behind the last");
	cr_assert_eq(decode_blobs(SCAP_BLOB_META(1, 0, 2), 4, b2, 8), SCAP_EDAMAGED, "padding");
}

Test(decode, length_must_be_right)
{
	struct rows r = { 0 };

	rows_call(&r, 0, 0, 1, 0, 0);
	cr_assert_eq(decode(r.p, r.n), 0);
	cr_assert_eq(decode(r.p, r.n - 8), SCAP_EDAMAGED);
	cr_assert_eq(decode(r.p, 0), SCAP_EDAMAGED);
	cr_assert_eq(decode(r.p, 8), SCAP_EDAMAGED);
	r.p[0]++;
	cr_assert_eq(decode(r.p, r.n), SCAP_EDAMAGED);
	r.p[0] = 0;
	cr_assert_eq(decode(r.p, r.n), SCAP_EDAMAGED);
	rows_free(&r);
}

Test(decode, types)
{
	struct rows r = { 0 };

	rows_call(&r, 5, 6, 1, 0, 0);
	r.p[2] = SCAP_REC_TYPES - 1;
	cr_assert_eq(decode(r.p, r.n), 1, "a type of the future");
	cr_assert_eq(ev.seq, 5);
	cr_assert_eq(ev.raw_ns, 6);
	r.p[2] = 0;
	cr_assert_eq(decode(r.p, r.n), SCAP_EDAMAGED);
	r.p[2] = SCAP_REC_TYPES;
	cr_assert_eq(decode(r.p, r.n), SCAP_EDAMAGED);
	rows_free(&r);
}

/* Whatever the length field of a shortened or lengthened record says, nothing beyond is read. */
Test(decode, every_valid_record_and_every_cut)
{
	uint64_t seed = 11;

	for (int i = 0; i < 300; i++) {
		struct rows r = { 0 };

		rows_any(&r, i, i, &seed);
		cr_assert_eq(decode(r.p, r.n), 0, "record %d: %s", i, what);
		for (size_t n = 16; n < r.n; n += 8) {
			uint16_t len8 = n / 8;

			memcpy(r.p, &len8, 2);
			decode(r.p, n);
		}
		rows_free(&r);
	}
}

/* ASan and UBSan are the judges. */
Test(decode, every_changed_byte)
{
	uint64_t seed = 12;

	for (int i = 0; i < 100; i++) {
		struct rows r = { 0 };

		rows_any(&r, i, i, &seed);
		for (size_t at = 2; at < r.n; at++) {
			uint8_t old = r.p[at];

			r.p[at] ^= (uint8_t)(1 + rows_random(&seed) % 255);
			decode(r.p, r.n);
			r.p[at] = old;
		}
		rows_free(&r);
	}
}
