/* SPDX-License-Identifier: MIT */
#include "format/intro.h"

#include <string.h>

#define ANY_RING 0xffffffffu

/* Repeated introductions are common (the kernel's cache is small): one copy serves them all. */
struct thread_entry {
	struct scap__thread thread;
	char root[];
};

struct file_entry {
	struct scap__file file;
	uint32_t body_bytes;
	uint8_t body[];		/* the record behind its head, and a NUL */
};

static uint64_t key_of(uint32_t ring, uint32_t id)
{
	return (uint64_t)(ring == ANY_RING ? ANY_RING : ring + 1) << 32 | id;
}

void scap__intros_init(struct scap__intros *in, struct scap__budget *budget)
{
	scap__arena_init(&in->arena, budget);
	scap__map_init(&in->threads, budget);
	scap__map_init(&in->files, budget);
	in->epoch = UINT64_MAX;
}

void scap__intros_fini(struct scap__intros *in)
{
	scap__arena_fini(&in->arena);
	scap__map_fini(&in->threads);
	scap__map_fini(&in->files);
}

void scap__intros_enter_epoch(struct scap__intros *in, uint64_t epoch)
{
	if (in->epoch == epoch)
		return;
	in->epoch = epoch;
	scap__map_clear(&in->threads);
	scap__map_clear(&in->files);
	scap__arena_reset(&in->arena);
}

static int set_both(struct scap__map *m, uint32_t ring, uint32_t id, void *value)
{
	int rc = scap__map_set(m, key_of(ring, id), value);

	return rc ? rc : scap__map_set(m, key_of(ANY_RING, id), value);
}

/* The last one introduced under this id, here or anywhere, if it satisfies `same`. */
static void *find_same(const struct scap__map *m, const struct scap_event *ev, uint32_t id,
		       bool (*same)(const void *entry, const struct scap_event *ev))
{
	void *e = scap__map_get(m, key_of(ev->ring, id));

	if (e && same(e, ev))
		return e;
	e = scap__map_get(m, key_of(ANY_RING, id));
	return e && same(e, ev) ? e : NULL;
}

static bool same_thread(const void *entry, const struct scap_event *ev)
{
	const struct thread_entry *e = entry;
	struct scap__thread t = e->thread;

	t.root = ev->u.intro.root;	/* equal texts lie elsewhere */
	return !memcmp(&t, &ev->u.intro, sizeof(t)) && !e->thread.root == !t.root &&
	       (!t.root || !memcmp(e->root, t.root, t.root_bytes));
}

static int add_thread(struct scap__intros *in, struct scap_event *ev)
{
	struct thread_entry *e = find_same(&in->threads, ev, ev->tid, same_thread);
	void *p;
	int rc;

	if (!e) {
		rc = scap__arena_get(&in->arena, sizeof(*e) + ev->u.intro.root_bytes, &p);
		if (rc)
			return rc;
		e = p;
		memcpy(&e->thread, &ev->u.intro, sizeof(e->thread));
		if (e->thread.root) {
			memcpy(e->root, e->thread.root, e->thread.root_bytes);
			e->thread.root = e->root;
		}
	}
	rc = set_both(&in->threads, ev->ring, ev->tid, e);
	ev->thread = rc ? NULL : &e->thread;
	return rc;
}

static const uint8_t *body_of(const struct scap_event *ev)
{
	return ev->rec + sizeof(struct scap_rec);
}

static uint32_t body_bytes_of(const struct scap_event *ev)
{
	return ev->rec_bytes - (uint32_t)sizeof(struct scap_rec);
}

static bool same_file(const void *entry, const struct scap_event *ev)
{
	const struct file_entry *e = entry;

	return e->file.flags == ev->flags && e->body_bytes == body_bytes_of(ev) &&
	       !memcmp(e->body, body_of(ev), e->body_bytes);
}

/* Points into our own copy what points into the record. The path is the record's last part, so
   the byte behind it is its padding, or the one more that the copy has. */
static void rebase(struct file_entry *e, const struct scap_event *ev)
{
	const uint8_t *from = body_of(ev);
	struct scap__file *f = &e->file;

	if (f->path)
		f->path = (const char *)e->body + ((const uint8_t *)f->path - from);
	if (f->sun_local)
		f->sun_local = e->body + (f->sun_local - from);
	if (f->sun_remote)
		f->sun_remote = e->body + (f->sun_remote - from);
}

static int add_file(struct scap__intros *in, struct scap_event *ev)
{
	struct file_entry *e = find_same(&in->files, ev, ev->cookie, same_file);
	void *p;
	int rc;

	if (!e) {
		rc = scap__arena_get(&in->arena, sizeof(*e) + body_bytes_of(ev) + 1, &p);
		if (rc)
			return rc;
		e = p;
		e->file = ev->u.file_rec;
		e->body_bytes = body_bytes_of(ev);
		memcpy(e->body, body_of(ev), e->body_bytes);
		rebase(e, ev);
	}
	ev->u.file_rec = e->file;
	ev->file = &e->file;
	return ev->cookie ? set_both(&in->files, ev->ring, ev->cookie, e) : 0;
}

int scap__intros_add(struct scap__intros *in, struct scap_event *ev)
{
	ev->thread = NULL;
	ev->file = ev->file2 = NULL;
	return ev->type == SCAP_REC_FILE ? add_file(in, ev) : add_thread(in, ev);
}

static void *look_up(const struct scap__map *m, uint32_t ring, uint32_t id)
{
	void *e = scap__map_get(m, key_of(ring, id));

	return e ? e : scap__map_get(m, key_of(ANY_RING, id));
}

static const struct scap__file *file_of(const struct scap__intros *in, uint32_t ring,
					uint32_t cookie)
{
	const struct file_entry *e = cookie ? look_up(&in->files, ring, cookie) : NULL;

	return e ? &e->file : NULL;
}

/* Takes the root directory off a path below it; false: it is not below it. */
static bool take_off_root(struct scap__file *f, const struct scap__thread *t)
{
	size_t n = t->root_bytes;

	if (t->root_state != SCAP_STATE_WHOLE || f->path_state != SCAP_STATE_WHOLE)
		return false;
	if (f->path_bytes < n || memcmp(f->path, t->root, n))
		return false;
	if (f->path_bytes == n) {
		f->path = "/";
		f->path_bytes = 1;
		return true;
	}
	if (f->path[n] != '/')
		return false;
	f->path += n;
	f->path_bytes -= (uint32_t)n;
	return true;
}

const struct scap__file *scap__file_as_seen(const struct scap__thread *t,
					    const struct scap__file *f, struct scap__file *room)
{
	bool elsewhere;

	if (!t || !f || !f->path || !f->path_bytes || f->path[0] != '/')
		return f;
	elsewhere = f->ns_mnt && t->ns_mnt && f->ns_mnt != t->ns_mnt;
	if (!elsewhere && !t->root)
		return f;
	*room = *f;
	if (!elsewhere && take_off_root(room, t))
		room->seen = SCAP__SEEN_BELOW_ROOT;
	else
		room->seen = SCAP__SEEN_OUTSIDE;
	return room;
}

void scap__intros_attach(const struct scap__intros *in, struct scap_event *ev)
{
	const struct thread_entry *t = NULL;

	if (ev->type != SCAP_REC_GAP)
		t = look_up(&in->threads, ev->ring, ev->tid);
	ev->thread = t ? &t->thread : NULL;
	ev->file = scap__file_as_seen(ev->thread, file_of(in, ev->ring, ev->cookie),
				      &ev->as_seen[0]);
	ev->file2 = scap__file_as_seen(ev->thread, file_of(in, ev->ring, ev->cookie2),
				       &ev->as_seen[1]);
}
