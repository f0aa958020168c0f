/* SPDX-License-Identifier: MIT */
#include "support_keyframe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_body(struct rows *r, const void *rec, size_t n)
{
	rows_put(r, (const uint8_t *)rec + sizeof(struct scap_rec), n - sizeof(struct scap_rec));
}

void rows_key_task(struct rows *r, uint32_t seq, uint64_t ns, uint32_t tid, uint32_t exe_cookie,
		   const char *comm)
{
	struct scap_rec_key_task t = {
		.who = { .tid = tid, .tgid = tid, .ppid = 1, .vtid = tid, .vtgid = tid,
			 .uid = 1000, .start_ns = 1000 + tid, .ns_mnt = 4026531840u },
		.suid = 1001, .cap_bounding = 0x1ffffffffff, .loginuid = 0xffffffff, .pgrp = tid,
		.session = 100, .tty = 4 << 20 | 1, .exe_cookie = exe_cookie, .table = tid * 7,
		.n_threads = 1, .state = 'S',
	};
	char argv[64];
	size_t at = rows_begin(r, SCAP_REC_KEY_TASK, SCAP_KEY_TASK_TABLE, seq, ns), n;

	strncpy(t.who.comm, comm, sizeof(t.who.comm) - 1);
	put_body(r, &t, sizeof(t));
	n = (size_t)snprintf(argv, sizeof(argv), "%s%c-x", comm, 0) + 1;
	rows_blob(r, SCAP_SLOT_CWD, SCAP_STATE_WHOLE, "/srv", 4, 4);
	rows_blob(r, SCAP_SLOT_ROOT, SCAP_STATE_WHOLE, "/", 1, 1);
	rows_blob(r, SCAP_SLOT_ARGV, SCAP_STATE_TRUNCATED, argv, n, (uint32_t)n + 9);
	rows_end(r, at);
}

void rows_key_fd(struct rows *r, uint32_t seq, uint64_t ns, uint32_t tid, uint32_t fd,
		 uint32_t cookie)
{
	struct scap_rec_key_fd f = { .tid = tid, .fd = fd, .start_ns = 1000 + tid, .table = tid * 7,
				     .pos = 12, .cookie = cookie, .open_flags = 2 };
	size_t at = rows_begin(r, SCAP_REC_KEY_FD, SCAP_KEY_FD_CLOEXEC, seq, ns);

	put_body(r, &f, sizeof(f));
	rows_end(r, at);
}

void rows_key_call(struct rows *r, uint32_t seq, uint64_t ns, uint32_t tid, int32_t nr,
		   uint64_t enter_ns)
{
	struct scap_rec_key_call c = { .tid = tid, .nr = nr, .start_ns = 1000 + tid,
				       .enter_ns = enter_ns, .args = { 3, 0x7000, 100, 4, 5, 6 } };
	size_t at = rows_begin(r, SCAP_REC_KEY_CALL, 0, seq, ns);

	put_body(r, &c, sizeof(c));
	rows_end(r, at);
}

void rows_key_end(struct rows *r, uint32_t seq, uint64_t ns, uint32_t n_tasks)
{
	struct scap_rec_key_end e = { .n_tasks = n_tasks, .n_fds = 2 * n_tasks,
				      .n_files = 2 * n_tasks, .n_calls = n_tasks,
				      .busy_ns = 5000, .lock_max_ns = 70 };
	size_t at = rows_begin(r, SCAP_REC_KEY_END, 0, seq, ns);

	put_body(r, &e, sizeof(e));
	rows_end(r, at);
}

void rows_key_tasks(struct rows *r, uint32_t *seq, uint64_t ns, uint32_t first, uint32_t n)
{
	char text[64];

	for (uint32_t tid = first; tid < first + n; tid++) {
		snprintf(text, sizeof(text), "task.%u", tid);
		rows_key_task(r, (*seq)++, ns + tid, tid, 0, text);
		rows_key_call(r, (*seq)++, ns + tid, tid, 0, ns + tid - 50);
		for (uint32_t fd = 3; fd < 5; fd++) {
			snprintf(text, sizeof(text), "/f.%u.%u", tid, fd);
			rows_file(r, (*seq)++, ns + tid, tid * 8 + fd, text);
			rows_key_fd(r, (*seq)++, ns + tid, tid, fd, tid * 8 + fd);
		}
	}
}

void rows_keyframe(struct scap_writer *w, uint32_t number, uint64_t ns, uint32_t n)
{
	static const char users[] = "0 root\n1000 shop\n";
	struct scap_keyframe_text text = { .kind = SCAP_KEYFRAME_USERS, .data = users,
					   .bytes = sizeof(users) - 1 };
	struct scap_keyframe_part part = { .begin_ns = ns, .clock_raw_ns = ns,
					   .real_ns = ns + 7777777, .boot_ns = ns,
					   .number = number };
	struct rows rows = { 0 };
	uint32_t seq = 0;

	rows_key_tasks(&rows, &seq, ns, 100, n / 2);
	part.rows = rows.p;
	part.bytes = rows.n;
	if (scap_writer_keyframe(w, &part) < 0)
		abort();
	rows.n = 0;
	rows_key_tasks(&rows, &seq, ns, 100 + n / 2, n - n / 2);
	rows_key_end(&rows, seq, ns + 1000, n);
	part.rows = rows.p;
	part.bytes = rows.n;
	part.part = 1;
	part.flags = SCAP_KEYFRAME_LAST;
	part.end_ns = ns + 1000;
	part.texts = &text;
	part.n_texts = 1;
	if (scap_writer_keyframe(w, &part) < 0)
		abort();
	rows_free(&rows);
}
