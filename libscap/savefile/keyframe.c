/* SPDX-License-Identifier: MIT */
/* What the lists said, as a keyframe. */
#include <errno.h>

#include "format/writer.h"
#include "savefile/sock.h"
#include "savefile/translator.h"

#define PART_BYTES	(1u << 20)
#define STATE_UNKNOWN	'?'

struct keyframe {
	struct scap__savefile *sf;
	struct scap__sf_rows rows;
	struct scap_keyframe_part part;
	uint32_t n_tasks, n_fds, n_files;
	int rc;
};

static void write_part(struct keyframe *k, bool last)
{
	struct scap__sf_bytes *b = k->rows.n_cpus ? &k->rows.cpus[0].bytes : NULL;
	struct scap__savefile *sf = k->sf;
	const struct scap_keyframe_text texts[] = {
		{ .kind = SCAP_KEYFRAME_USERS, .data = sf->users.p, .bytes = sf->users.n },
		{ .kind = SCAP_KEYFRAME_GROUPS, .data = sf->groups.p, .bytes = sf->groups.n },
	};

	if (!k->rc)
		k->rc = k->rows.rc;
	if (k->rc || !b)
		return;
	k->part.rows = b->p;
	k->part.bytes = b->n;
	if (last) {
		k->part.flags = SCAP_KEYFRAME_LAST;
		k->part.end_ns = k->part.begin_ns;
		k->part.texts = texts;
		k->part.n_texts = 2;
	}
	k->rc = scap_writer_keyframe(sf->writer, &k->part);
	k->part.part++;
	b->n = 0;
	k->rows.bytes = 0;
}

static void write_if_full(struct keyframe *k)
{
	if (k->rows.bytes > PART_BYTES)
		write_part(k, false);
}

static void put_file(struct keyframe *k, struct scap__sf_file *f)
{
	if (!f || f->key_told)
		return;
	f->key_told = true;
	k->n_files++;
	scap__sf_row_begin(&k->rows, 0, SCAP_REC_FILE, 0, k->part.begin_ns);
	scap__sf_put_file(&k->rows, f);
	scap__sf_row_end(&k->rows);
}

static void put_fd(struct keyframe *k, const struct scap__sf_thread *t,
		   const struct scap__sf_slot *slot)
{
	struct scap__sf_file *f = slot->value;
	struct scap__sf_rows *r = &k->rows;
	bool cloexec = f->open_flags & 02000000;

	put_file(k, f);
	k->n_fds++;
	scap__sf_row_begin(r, 0, SCAP_REC_KEY_FD, cloexec ? SCAP_KEY_FD_CLOEXEC : 0,
			   k->part.begin_ns);
	scap__sf_row_u32(r, (uint32_t)t->tid);
	scap__sf_row_u32(r, (uint32_t)(slot->key - 1));
	scap__sf_row_u64(r, 0);
	scap__sf_row_u64(r, t->fds->id);
	scap__sf_row_u64(r, 0);
	scap__sf_row_u32(r, f->cookie);
	scap__sf_row_u32(r, f->open_flags);
	scap__sf_row_end(r);
}

/* Behind what KEY_TASK and INTRO have in common. */
static void put_task_rest(struct keyframe *k, const struct scap__sf_thread *t)
{
	const uint8_t letter_and_flags[8] = { STATE_UNKNOWN };
	struct scap__sf_rows *r = &k->rows;

	scap__sf_row_u32(r, t->uid);
	scap__sf_row_u32(r, t->gid);
	scap__sf_row_u32(r, t->uid);
	scap__sf_row_u32(r, t->gid);
	scap__sf_row_u64(r, t->cap_e);
	scap__sf_row_u64(r, t->cap_p);
	scap__sf_row_u64(r, t->cap_i);
	scap__sf_row_u64(r, 0);
	scap__sf_row_u64(r, 0);
	scap__sf_row_u32(r, t->loginuid);
	scap__sf_row_u32(r, UINT32_MAX);
	scap__sf_row_u32(r, t->sid);
	scap__sf_row_u32(r, t->pgid);
	scap__sf_row_u32(r, scap__sf_dev(t->tty));
	scap__sf_row_u32(r, 0);
	scap__sf_row_u32(r, t->group->refs);
	scap__sf_row_u32(r, t->exe ? t->exe->cookie : 0);
	scap__sf_row_u64(r, t->fds ? t->fds->id : 0);
	scap__sf_row_put(r, letter_and_flags, sizeof(letter_and_flags));
}

static void put_text(struct keyframe *k, unsigned slot, const struct scap__sf_text *t, size_t max)
{
	bool cut = t->n > max;

	if (t->n)
		scap__sf_row_blob(&k->rows, slot, cut ? SCAP_STATE_TRUNCATED : SCAP_STATE_WHOLE,
				  t->p, cut ? max : t->n, t->n);
}

static void put_task(struct keyframe *k, struct scap__sf_thread *t)
{
	bool table = t->fds && !t->fds->key_told;
	struct scap__sf_rows *r = &k->rows;
	struct scap__sf_slot *slots;

	put_file(k, t->exe);
	k->n_tasks++;
	scap__sf_row_begin(r, 0, SCAP_REC_KEY_TASK, table ? SCAP_KEY_TASK_TABLE : 0,
			   k->part.begin_ns);
	scap__sf_put_thread(r, t);
	put_task_rest(k, t);
	put_text(k, SCAP_SLOT_CWD, &t->cwd, SCAP_PATH_MAX_BYTES);
	put_text(k, SCAP_SLOT_ROOT, &t->root, SCAP_PATH_MAX_BYTES);
	put_text(k, SCAP_SLOT_ARGV, &t->argv, SCAP_KEY_ARGV_MAX_BYTES);
	scap__sf_row_end(r);
	if (!table)
		return;
	t->fds->key_told = true;
	slots = scap__sf_map_sorted(&t->fds->map, k->sf->budget);
	for (uint32_t i = 0; slots && i < t->fds->map.n_used; i++) {
		put_fd(k, t, &slots[i]);
		write_if_full(k);
	}
	scap__free(k->sf->budget, slots, t->fds->map.n_used * sizeof(*slots));
}

static void put_end(struct keyframe *k)
{
	struct scap__sf_rows *r = &k->rows;

	scap__sf_row_begin(r, 0, SCAP_REC_KEY_END, 0, k->part.begin_ns);
	scap__sf_row_u32(r, k->n_tasks);
	scap__sf_row_u32(r, k->n_fds);
	scap__sf_row_u32(r, k->n_files);
	scap__sf_row_u32(r, 0);
	scap__sf_row_u32(r, 0);
	scap__sf_row_u32(r, 0);
	scap__sf_row_u64(r, k->part.begin_ns);
	scap__sf_row_u64(r, 0);
	scap__sf_row_u64(r, 0);
	scap__sf_row_end(r);
}

/* Where the memory is used up the keyframe has no last part, and the file goes on. */
int scap__sf_keyframe(struct scap__savefile *sf, uint64_t ns)
{
	uint64_t real_ns = ns - sf->ahead_ns;
	struct keyframe k = { .sf = sf, .part = {
		.begin_ns = ns, .clock_raw_ns = ns, .real_ns = real_ns,
		.number = ++sf->n_keyframes,
		.boot_ns = sf->boot_ns && sf->boot_ns < real_ns ? real_ns - sf->boot_ns : 0,
	} };
	struct scap__sf_slot *slots = scap__sf_map_sorted(&sf->state.threads, sf->budget);
	uint32_t n = sf->state.threads.n_used;

	scap__sf_rows_init(&k.rows, sf->budget);
	for (uint32_t i = 0; slots && i < n && !k.rc; i++) {
		struct scap__sf_thread *t = slots[i].value;

		if (t->known)
			put_task(&k, t);
		write_if_full(&k);
	}
	scap__free(sf->budget, slots, n * sizeof(*slots));
	put_end(&k);
	write_part(&k, true);
	scap__sf_rows_fini(&k.rows);
	return k.rc == SCAP_ELIMIT || k.rc == -EINVAL ? 0 : k.rc;
}
