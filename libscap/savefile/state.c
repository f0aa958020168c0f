/* SPDX-License-Identifier: MIT */
#include "savefile/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 16

/* ---- maps ---------------------------------------------------------------------------------- */

static uint32_t place_of(const struct scap__sf_map *m, uint64_t key)
{
	return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & (m->n_slots - 1);
}

static struct scap__sf_slot *find(const struct scap__sf_map *m, uint64_t key)
{
	uint32_t i = place_of(m, key);

	while (m->slots[i].value && m->slots[i].key != key)
		i = (i + 1) & (m->n_slots - 1);
	return &m->slots[i];
}

void *scap__sf_map_get(const struct scap__sf_map *m, uint64_t key)
{
	return m->n_slots ? find(m, key)->value : NULL;
}

static int grow(struct scap__sf_map *m, struct scap__budget *b)
{
	struct scap__sf_map old = *m;
	uint32_t n = old.n_slots ? old.n_slots * 2 : SLOTS_MIN;
	struct scap__sf_slot *slots = scap__new(b, n * sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	m->slots = slots;
	m->n_slots = n;
	for (uint32_t i = 0; i < old.n_slots; i++)
		if (old.slots[i].value)
			*find(m, old.slots[i].key) = old.slots[i];
	scap__free(b, old.slots, old.n_slots * sizeof(*slots));
	return 0;
}

int scap__sf_map_set(struct scap__sf_map *m, struct scap__budget *b, uint64_t key, void *value)
{
	struct scap__sf_slot *s;

	if (m->n_used + 1 > m->n_slots / 4 * 3 && grow(m, b))
		return -ENOMEM;
	s = find(m, key);
	m->n_used += !s->value;
	*s = (struct scap__sf_slot){ key, value };
	return 0;
}

/* Entries behind the hole that could not be found any more move into it. */
static void close_hole(struct scap__sf_map *m, uint32_t hole)
{
	uint32_t mask = m->n_slots - 1;

	for (uint32_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
		uint32_t home = place_of(m, m->slots[i].key);

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole] = (struct scap__sf_slot){ 0, NULL };
}

void *scap__sf_map_take(struct scap__sf_map *m, uint64_t key)
{
	struct scap__sf_slot *s = m->n_slots ? find(m, key) : NULL;
	void *value = s ? s->value : NULL;

	if (value) {
		m->n_used--;
		close_hole(m, (uint32_t)(s - m->slots));
	}
	return value;
}

static int by_key(const void *a, const void *b)
{
	const struct scap__sf_slot *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

struct scap__sf_slot *scap__sf_map_sorted(const struct scap__sf_map *m, struct scap__budget *b)
{
	struct scap__sf_slot *slots = m->n_used ? scap__new(b, m->n_used * sizeof(*slots))
						: NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; slots && i < m->n_slots; i++)
		if (m->slots[i].value)
			slots[n++] = m->slots[i];
	if (slots)
		qsort(slots, n, sizeof(*slots), by_key);
	return slots;
}

void scap__sf_map_fini(struct scap__sf_map *m, struct scap__budget *b)
{
	scap__free(b, m->slots, m->n_slots * sizeof(*m->slots));
	*m = (struct scap__sf_map){ 0 };
}

/* ---- memory -------------------------------------------------------------------------------- */

void scap__sf_text_fini(struct scap__budget *b, struct scap__sf_text *t)
{
	scap__free(b, t->p, t->n);
	*t = (struct scap__sf_text){ 0 };
}

void scap__sf_text_set(struct scap__budget *b, struct scap__sf_text *t, const void *p, size_t n)
{
	struct scap__sf_text old = *t;

	*t = (struct scap__sf_text){ 0 };
	if (n)
		t->p = scap__new(b, n);
	if (t->p) {
		memcpy(t->p, p, n);
		t->n = (uint32_t)n;
	}
	scap__sf_text_fini(b, &old);
}

/* ---- files --------------------------------------------------------------------------------- */

struct scap__sf_file *scap__sf_file_new(struct scap__sf_state *s, unsigned kind, const void *path,
					size_t n)
{
	struct scap__sf_file *f;

	if (s->n_files >= SCAP__SF_FILES_MAX)
		return NULL;
	f = scap__new(s->budget, sizeof(*f));
	if (!f)
		return NULL;
	f->refs = 1;
	f->kind = (uint16_t)kind;
	if (!++s->next_cookie)
		s->next_cookie++;
	f->cookie = s->next_cookie;
	scap__sf_file_changed(f);
	scap__sf_text_set(s->budget, &f->text, path, n);
	s->n_files++;
	return f;
}

struct scap__sf_file *scap__sf_file_get(struct scap__sf_file *f)
{
	if (f)
		f->refs++;
	return f;
}

void scap__sf_file_put(struct scap__sf_state *s, struct scap__sf_file *f)
{
	if (!f || --f->refs)
		return;
	scap__sf_text_fini(s->budget, &f->text);
	scap__free(s->budget, f, sizeof(*f));
	s->n_files--;
}

void scap__sf_file_changed(struct scap__sf_file *f)
{
	f->told.epoch = UINT64_MAX;
}

void scap__sf_file_set_unix(struct scap__sf_state *s, struct scap__sf_file *f, const void *local,
			    size_t n_local, const void *remote, size_t n_remote)
{
	uint8_t both[2 * SCAP_PATH_MAX_BYTES];

	if (n_local > SCAP_PATH_MAX_BYTES)
		n_local = SCAP_PATH_MAX_BYTES;
	if (n_remote > SCAP_PATH_MAX_BYTES)
		n_remote = SCAP_PATH_MAX_BYTES;
	if (n_local)
		memcpy(both, local, n_local);
	if (n_remote)
		memcpy(both + n_local, remote, n_remote);
	scap__sf_text_set(s->budget, &f->text, both, n_local + n_remote);
	f->sock.local_len = f->text.n ? (uint16_t)n_local : 0;
	f->sock.remote_len = f->text.n ? (uint16_t)n_remote : 0;
}

/* ---- descriptors --------------------------------------------------------------------------- */

static struct scap__sf_fds *fds_new(struct scap__sf_state *s)
{
	struct scap__sf_fds *fds = scap__new(s->budget, sizeof(*fds));

	if (!fds)
		return NULL;
	fds->refs = 1;
	fds->id = ++s->next_table;
	return fds;
}

static void fds_put(struct scap__sf_state *s, struct scap__sf_fds *fds)
{
	if (!fds || --fds->refs)
		return;
	for (uint32_t i = 0; i < fds->map.n_slots; i++)
		scap__sf_file_put(s, fds->map.slots[i].value);
	scap__sf_map_fini(&fds->map, s->budget);
	scap__free(s->budget, fds, sizeof(*fds));
}

struct scap__sf_file *scap__sf_fd_get(const struct scap__sf_thread *t, int64_t fd)
{
	return t && t->fds && fd >= 0 ? scap__sf_map_get(&t->fds->map, (uint64_t)fd + 1) : NULL;
}

void scap__sf_fd_close(struct scap__sf_state *s, struct scap__sf_thread *t, int64_t fd)
{
	if (t && t->fds && fd >= 0)
		scap__sf_file_put(s, scap__sf_map_take(&t->fds->map, (uint64_t)fd + 1));
}

void scap__sf_fd_set(struct scap__sf_state *s, struct scap__sf_thread *t, int64_t fd,
		     struct scap__sf_file *f)
{
	scap__sf_fd_close(s, t, fd);
	if (!f)
		return;
	if (!t || fd < 0 || (!t->fds && !(t->fds = fds_new(s))) ||
	    t->fds->map.n_used >= SCAP__SF_FDS_MAX ||
	    scap__sf_map_set(&t->fds->map, s->budget, (uint64_t)fd + 1, f))
		scap__sf_file_put(s, f);
}

void scap__sf_fds_share(struct scap__sf_state *s, struct scap__sf_thread *t,
			struct scap__sf_thread *with)
{
	if (!with->fds)
		with->fds = fds_new(s);
	if (t->fds == with->fds)
		return;
	fds_put(s, t->fds);
	t->fds = with->fds;
	if (t->fds)
		t->fds->refs++;
}

void scap__sf_fds_copy(struct scap__sf_state *s, struct scap__sf_thread *t,
		       const struct scap__sf_thread *from)
{
	fds_put(s, t->fds);
	t->fds = NULL;
	if (!from->fds)
		return;
	for (uint32_t i = 0; i < from->fds->map.n_slots; i++) {
		const struct scap__sf_slot *slot = &from->fds->map.slots[i];

		if (slot->value)
			scap__sf_fd_set(s, t, (int64_t)(slot->key - 1),
					scap__sf_file_get(slot->value));
	}
}

/* ---- threads ------------------------------------------------------------------------------- */

void scap__sf_state_init(struct scap__sf_state *s, struct scap__budget *b)
{
	*s = (struct scap__sf_state){ .budget = b };
}

static void group_put(struct scap__sf_state *s, struct scap__sf_group *g)
{
	if (g && !--g->refs)
		scap__free(s->budget, g, sizeof(*g));
}

static void thread_free(struct scap__sf_state *s, struct scap__sf_thread *t)
{
	scap__sf_text_fini(s->budget, &t->argv);
	scap__sf_text_fini(s->budget, &t->cwd);
	scap__sf_text_fini(s->budget, &t->root);
	scap__sf_text_fini(s->budget, &t->cgroup);
	scap__sf_file_put(s, t->exe);
	scap__sf_file_put(s, t->dir);
	fds_put(s, t->fds);
	group_put(s, t->group);
	scap__free(s->budget, t->entry.p, t->entry.cap);
	scap__free(s->budget, t, sizeof(*t));
}

void scap__sf_state_clear(struct scap__sf_state *s)
{
	for (uint32_t i = 0; i < s->threads.n_slots; i++)
		if (s->threads.slots[i].value)
			thread_free(s, s->threads.slots[i].value);
	scap__sf_map_fini(&s->threads, s->budget);
}

struct scap__sf_thread *scap__sf_thread_get(const struct scap__sf_state *s, uint64_t tid)
{
	return scap__sf_map_get(&s->threads, tid + 1);
}

struct scap__sf_thread *scap__sf_thread_make(struct scap__sf_state *s, uint64_t tid)
{
	struct scap__sf_thread *t = scap__sf_thread_get(s, tid);

	if (t || s->threads.n_used >= SCAP__SF_THREADS_MAX)
		return t;
	t = scap__new(s->budget, sizeof(*t));
	if (!t)
		return NULL;
	t->group = scap__new(s->budget, sizeof(*t->group));
	if (t->group)
		t->group->refs = 1;
	if (!t->group || scap__sf_map_set(&s->threads, s->budget, tid + 1, t)) {
		thread_free(s, t);
		return NULL;
	}
	t->tid = tid;
	t->pid = t->vtid = t->vpid = (uint32_t)tid;
	t->loginuid = UINT32_MAX;
	t->told.epoch = UINT64_MAX;
	return t;
}

void scap__sf_thread_drop(struct scap__sf_state *s, uint64_t tid)
{
	struct scap__sf_thread *t = scap__sf_map_take(&s->threads, tid + 1);

	if (t)
		thread_free(s, t);
}

void scap__sf_join_group(struct scap__sf_state *s, struct scap__sf_thread *t,
			 struct scap__sf_thread *p)
{
	if (t->group == p->group)
		return;
	group_put(s, t->group);
	t->group = p->group;
	t->group->refs++;
}

void scap__sf_set_comm(struct scap__sf_thread *t, const void *p, size_t n)
{
	n = strnlen(p, n);
	if (n > sizeof(t->comm) - 1)
		n = sizeof(t->comm) - 1;
	memset(t->comm, 0, sizeof(t->comm));
	memcpy(t->comm, p, n);
	t->told.epoch = UINT64_MAX;
}

/* Without the slash that some writers put behind it. */
void scap__sf_set_cwd(struct scap__sf_state *s, struct scap__sf_thread *t, const void *p, size_t n)
{
	const char *path = p;

	if (!n || path[0] != '/')
		return;
	while (n > 1 && path[n - 1] == '/')
		n--;
	if (t->cwd.n == n && !memcmp(t->cwd.p, path, n))
		return;
	scap__sf_file_put(s, t->dir);
	t->dir = NULL;
	scap__sf_text_set(s->budget, &t->cwd, path, n);
}

static void copy_text(struct scap__sf_state *s, struct scap__sf_text *to,
		      const struct scap__sf_text *from)
{
	scap__sf_text_set(s->budget, to, from->p, from->n);
}

void scap__sf_copy_identity(struct scap__sf_state *s, struct scap__sf_thread *t,
			    const struct scap__sf_thread *from)
{
	t->known = from->known;
	t->uid = from->uid;
	t->gid = from->gid;
	t->sid = from->sid;
	t->pgid = from->pgid;
	t->tty = from->tty;
	t->loginuid = from->loginuid;
	t->cap_i = from->cap_i;
	t->cap_p = from->cap_p;
	t->cap_e = from->cap_e;
	memcpy(t->comm, from->comm, sizeof(t->comm));
	copy_text(s, &t->argv, &from->argv);
	copy_text(s, &t->cwd, &from->cwd);
	copy_text(s, &t->root, &from->root);
	copy_text(s, &t->cgroup, &from->cgroup);
	scap__sf_file_put(s, t->exe);
	t->exe = scap__sf_file_get(from->exe);
	scap__sf_file_put(s, t->dir);
	t->dir = scap__sf_file_get(from->dir);
	t->told.epoch = UINT64_MAX;
}

bool scap__sf_tell(struct scap__sf_told *told, uint64_t epoch, uint32_t cpu)
{
	bool known;

	if (told->epoch != epoch)
		*told = (struct scap__sf_told){ .epoch = epoch, .last_cpu = UINT32_MAX };
	known = cpu < 64 ? told->cpus >> cpu & 1 : told->last_cpu == cpu;
	if (cpu < 64)
		told->cpus |= 1ull << cpu;
	else
		told->last_cpu = cpu;
	return !known;
}
