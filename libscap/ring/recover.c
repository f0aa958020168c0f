/* SPDX-License-Identifier: MIT */
/* What an abandoned ring and its journals hold becomes a capture. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/error.h"
#include "format/reader.h"
#include "ring/ring.h"

#define MAX_ENTRIES (4u << 20)

/* A whole entry: where it lies in the file, which is read, not mapped: it may be cut meanwhile. */
struct place {
	uint64_t position, bytes;
	uint64_t offset;
};

struct recovery {
	int fd;
	const char *path;
	uint64_t ring_id, file_bytes;
	uint64_t head;			/* behind the newest entry; 0: not known */
	uint8_t *buf;			/* what is read of the file at a time */
	size_t cap;
	uint8_t *look;			/* LOOK_BYTES of it from look_at on, where there are */
	uint64_t look_at, n_look;
	uint64_t failed_bytes;		/* of what was read for an entry, and was none */
	struct place *places;
	size_t n_places, places_cap;
	struct scap_writer *w;
	struct scap_error *err;
	struct scap_ring_recovered *ret;
	bool begun;
	uint64_t file_id;		/* of the sections, and of the journals */
	bool closed;			/* its recorder ended as it should */
	struct scap__ring_stood stood[SCAP__RING_ENDS];
	uint64_t last_ns, last_real_ns;	/* where the last slice ends; 0: not known */
	/* The oldest entry with events. */
	uint64_t first_position, first_ns, first_real_ns;
};

static int no_memory(struct recovery *v)
{
	return scap__fail(v->err, -ENOMEM, SCAP_NO_OFFSET, "out of memory");
}

/* Nobody's pipe holds us up, and no link leads us elsewhere. */
static int open_quietly(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
}

/* n bytes at offset, fewer at the file's end: how many, or -errno. */
static ssize_t read_at(struct recovery *v, uint8_t *buf, size_t n, uint64_t offset)
{
	ssize_t got;
	size_t have = 0;

	while (have < n) {
		got = pread(v->fd, buf + have, n - have, (off_t)(offset + have));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

/* The same, into v->buf. */
static ssize_t get(struct recovery *v, uint64_t offset, size_t n)
{
	if (n > v->cap) {
		uint8_t *p = realloc(v->buf, n);

		if (!p)
			return -ENOMEM;
		v->buf = p;
		v->cap = n;
	}
	return read_at(v, v->buf, n, offset);
}

/* ---- the ring's header ----------------------------------------------------------------------- */

/*
 * A header that was overwritten says nothing; where things lie is known all the same, and the id is
 * that of the first entry with a sound checksum.
 */
static int read_header(struct recovery *v)
{
	struct scap__ring_state_page page;
	struct scap__ring_header h = { 0 };
	struct stat st;

	if (fstat(v->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return scap__fail(v->err, SCAP_ENOTSCAP, SCAP_NO_OFFSET, "%.180s is no file",
				  v->path);
	v->file_bytes = (uint64_t)st.st_size;
	if (pread(v->fd, &h, sizeof(h), 0) < 0)
		return scap__fail(v->err, -errno, SCAP_NO_OFFSET, "cannot read %.160s: %s",
				  v->path, strerror(errno));
	if (memcmp(h.magic, SCAP__RING_MAGIC, sizeof(h.magic)) ||
	    le32toh(h.crc) != scap__crc32c(0, &h, offsetof(struct scap__ring_header, crc))) {
		v->ret->n_damaged++;
		return 0;
	}
	if (le16toh(h.version) != SCAP__RING_VERSION)
		return scap__fail(v->err, SCAP_EVERSION, SCAP_NO_OFFSET,
				  "%.160s is a ring of version %u, this library reads %d", v->path,
				  le16toh(h.version), SCAP__RING_VERSION);
	v->ring_id = le64toh(h.ring_id);
	if (pread(v->fd, &page, sizeof(page), SCAP__RING_STATE_OFFSET) != sizeof(page))
		return 0;
	v->head = le64toh(page.head);
	v->closed = le64toh(page.closed) == 1;
	return 0;
}

/* ---- what is in it --------------------------------------------------------------------------- */

static void note_end(struct recovery *v, uint64_t raw_ns, uint64_t real_ns)
{
	if (raw_ns <= v->last_ns)
		return;
	v->last_ns = raw_ns;
	v->last_real_ns = real_ns;
}

static void note_first(struct recovery *v, const struct scap__ring_entry *e)
{
	if (e->position > v->first_position)
		return;
	v->first_position = e->position;
	v->first_ns = e->start_ns;
	v->first_real_ns = e->start_real_ns;
}

static int add_place(struct recovery *v, const struct scap__ring_entry *e, uint64_t offset)
{
	if (v->n_places == v->places_cap) {
		size_t cap = v->places_cap ? 2 * v->places_cap : 1024;
		struct place *p = cap > MAX_ENTRIES ? NULL :
				  realloc(v->places, cap * sizeof(*p));

		if (!p)
			return no_memory(v);
		v->places = p;
		v->places_cap = cap;
	}
	v->places[v->n_places++] = (struct place){ e->position, e->bytes, offset };
	if (e->type == SCAP__SECTION_KEYFRAME)
		return 0;
	note_first(v, e);
	note_end(v, e->end_ns, e->start_real_ns ?
		 e->start_real_ns + (e->end_ns - e->start_ns) : 0);
	return 0;
}

/* The section in an entry that was found is what was written. */
static bool payload_is_sound(const struct scap__ring_found *f)
{
	return scap__crc32c(0, f->section + sizeof(f->h), (size_t)le64toh(f->h.stored_bytes)) ==
	       le32toh(f->h.payload_crc);
}

/* A whole entry at offset: its bytes; 0: there is none; or an error. */
static int64_t entry_at(struct recovery *v, uint64_t offset)
{
	struct scap__ring_found f;
	ssize_t n = get(v, offset, sizeof(f.e));
	uint64_t bytes, id;

	if (n < (ssize_t)sizeof(f.e))
		return n < 0 ? n : 0;
	bytes = scap__le64(v->buf + offsetof(struct scap__ring_entry, bytes));
	id = scap__le64(v->buf + offsetof(struct scap__ring_entry, ring_id));
	if (scap__le32(v->buf) != SCAP__RING_ENTRY_MAGIC || bytes < sizeof(f.e) ||
	    bytes > v->file_bytes - offset || bytes > SCAP__RAW_MAX_BYTES + (1u << 20) ||
	    (v->ring_id && id != v->ring_id))
		return 0;
	n = get(v, offset, (size_t)bytes);
	if (n < 0)
		return n;
	if (scap__ring_entry_at(v->buf, (size_t)n, id, &f) || !payload_is_sound(&f)) {
		v->failed_bytes += bytes;
		return 0;
	}
	v->ring_id = id;
	v->file_id = le64toh(f.h.file_id);
	n = add_place(v, &f.e, offset);
	return n < 0 ? n : (int64_t)bytes;
}

#define LOOK_BYTES (1u << 20)

/* From offset on, where no entry is: where the next header may be, or the file's end; or -errno. */
static int64_t search(struct recovery *v, uint64_t offset)
{
	if (!v->look && !(v->look = malloc(LOOK_BYTES)))
		return -ENOMEM;
	while (offset < v->file_bytes) {
		if (offset < v->look_at || offset - v->look_at >= v->n_look) {
			ssize_t n = read_at(v, v->look, LOOK_BYTES, offset);

			if (n <= 0)
				return n < 0 ? n : (int64_t)v->file_bytes;
			v->look_at = offset;
			v->n_look = (size_t)n;
		}
		for (; offset - v->look_at + 4 <= v->n_look; offset += SCAP__ALIGN)
			if (scap__le32(v->look + (offset - v->look_at)) == SCAP__RING_ENTRY_MAGIC)
				return (int64_t)offset;
		if (v->n_look < LOOK_BYTES)
			break;
	}
	return (int64_t)v->file_bytes;
}

static int by_position(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	return a->position < b->position ? -1 : a->position > b->position;
}

static int cannot_read(struct recovery *v, int64_t code)
{
	return v->err->code ? v->err->code :
	       scap__fail(v->err, (int)code, SCAP_NO_OFFSET, "cannot read %.160s: %s", v->path,
			  strerror((int)-code));
}

/*
 * What only pretends to be entries, one in another, could keep us reading for years. A recorder
 * that was killed leaves one at most that is not whole, and the file is read as often as that.
 */
static bool is_hopeless(const struct recovery *v)
{
	return v->failed_bytes / 8 > v->file_bytes;
}

/* All entries, the oldest first; those that newer ones have overwritten in part are not whole. */
static int find_places(struct recovery *v)
{
	uint64_t offset = SCAP__RING_AREA_OFFSET;

	while (offset < v->file_bytes && !is_hopeless(v)) {
		int64_t n = entry_at(v, offset);

		if (n < 0)
			return cannot_read(v, n);
		if (n) {
			offset += (uint64_t)n;
			continue;
		}
		n = search(v, offset + SCAP__ALIGN);
		if (n < 0)
			return cannot_read(v, n);
		offset = (uint64_t)n;
	}
	v->ret->n_damaged += is_hopeless(v);
	if (v->n_places)
		qsort(v->places, v->n_places, sizeof(*v->places), by_position);
	return 0;
}

/* ---- out ------------------------------------------------------------------------------------- */

/* A description of the host where the ring's own is not to be read. */
static int write_unknown_host(struct recovery *v)
{
	struct scap_writer_options o = {
		.size = sizeof(o), .hostname = "", .kernel = "", .machine = "", .boot_id = "",
		.recorder = "scap recover",
	};
	int rc = scap__section_begin(v->w);

	v->ret->n_damaged++;
	if (!rc && scap__host_put(v->w, &o))
		rc = scap__writer_no_memory(v->w);
	return rc ? rc : scap__section_write(v->w, SCAP__SECTION_HOST);
}

/* HOST; then the rest, once it is known where the capture begins. */
static int write_fixed(struct recovery *v, bool host)
{
	ssize_t n = get(v, SCAP__RING_FIXED_OFFSET, SCAP__RING_FIXED_BYTES);
	struct scap__section_header h = { 0 };
	size_t at = 0, bytes;
	int rc;

	if (n >= (ssize_t)sizeof(h))
		memcpy(&h, v->buf, sizeof(h));
	bytes = n < 0 ? 0 : (size_t)n;
	if (bytes < sizeof(h) || le64toh(h.stored_bytes) > bytes - sizeof(h))
		return host ? write_unknown_host(v) : 0;
	at = sizeof(h) + ((size_t)le64toh(h.stored_bytes) + 7) / 8 * 8;
	if (!host)
		return scap__ring_copy_fixed(v->w, v->buf, bytes, &at);
	bytes = at < bytes ? at : bytes;
	at = 0;
	rc = scap__ring_copy_host(v->w, v->buf, bytes, v->first_ns, v->first_real_ns, &at);
	if (!rc && at)
		v->file_id = le64toh(h.file_id);
	return rc || at ? rc : write_unknown_host(v);
}

static struct scap_trigger trigger(const struct recovery *v)
{
	bool told = scap__ring_stood_at(v->stood, v->ring_id, v->last_ns);

	return (struct scap_trigger){
		.size = sizeof(struct scap_trigger), .name = "recovered", .source = "recovery",
		.why = v->closed ? "its recorder had ended" :
		       "its recorder did not end as it should",
		.raw_ns = v->last_ns, .real_ns = v->last_real_ns,
		.before_ns = v->last_ns - v->ret->start_raw_ns,
		.flags = told ? 0 : SCAP_TRIGGER_KILLED,
	};
}

/* Why it is there, and the rest of the fixed sections. */
static int write_front(struct recovery *v, uint64_t start_ns)
{
	struct scap_trigger t;
	int rc;

	v->begun = true;
	v->ret->start_raw_ns = start_ns;
	t = trigger(v);
	rc = scap_writer_trigger(v->w, &t);
	return rc ? rc : write_fixed(v, false);
}

static int begin(struct recovery *v, const struct scap__ring_found *f)
{
	struct scap_ring_end *rings = malloc(UINT16_MAX * sizeof(*rings));
	int rc;

	if (!rings)
		return no_memory(v);
	scap__ring_list(f->rings, f->e.n_rings, rings);
	rc = scap_writer_start(v->w, f->e.start_ns, rings, f->e.n_rings);
	free(rings);
	return rc ? rc : write_front(v, f->e.start_ns);
}

/* Entries without events in front of the first that has some are keyframes nobody needs. */
static int write_place(struct recovery *v, const struct place *p)
{
	struct scap__ring_found f;
	uint8_t *entry;
	int rc;

	if (get(v, p->offset, (size_t)p->bytes) != (ssize_t)p->bytes ||
	    scap__ring_entry_at(v->buf, (size_t)p->bytes, v->ring_id, &f) ||
	    !payload_is_sound(&f)) {
		v->ret->n_damaged++;
		return 0;
	}
	if (!v->begun && f.e.type == SCAP__SECTION_KEYFRAME)
		return 0;
	if (f.e.type != SCAP__SECTION_KEYFRAME && f.e.start_ns < v->w->last_end_ns) {
		v->ret->n_damaged++;
		return 0;
	}
	/* Reading more of the file reuses the buffer. */
	entry = v->buf;
	v->buf = NULL;
	v->cap = 0;
	rc = v->begun ? 0 : begin(v, &f);
	if (!rc)
		rc = scap__ring_copy(v->w, &f, NULL, NULL);
	v->ret->n_sections += !rc;
	free(v->buf);
	v->buf = entry;
	v->cap = (size_t)p->bytes;
	return rc;
}

static int write_places(struct recovery *v)
{
	uint64_t end = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < v->n_places; i++) {
		const struct place *p = &v->places[i];

		/* Where the area begins anew, room was left at its end. */
		if (i && p->offset != SCAP__RING_AREA_OFFSET && p->position != end)
			v->ret->n_damaged++;
		if (p->position < end)
			continue;
		end = p->position + p->bytes;
		rc = write_place(v, p);
	}
	/* Killed in between, it has not yet moved the head behind the last one. */
	if (v->head > end)
		v->ret->n_damaged++;
	return rc;
}

/* ---- the journals ---------------------------------------------------------------------------- */

/* A SLICE's payload as a slice; its parts are the caller's to free. False: it is damaged. */
static bool parse_slice(const uint8_t *p, size_t n, struct scap_slice *s)
{
	struct scap__bytes b = { p, n, false };
	struct scap_slice_part *parts;
	const uint8_t *rows;

	*s = (struct scap_slice){ 0 };
	s->start_ns = scap__get_u64(&b);
	s->end_ns = scap__get_u64(&b);
	s->clock_raw_ns = scap__get_u64(&b);
	s->real_ns = scap__get_u64(&b);
	s->boot_ns = scap__get_u64(&b);
	s->n_parts = scap__get_u32(&b);
	scap__get_u32(&b);
	if (b.bad || s->n_parts > b.n / sizeof(struct scap__slice_part))
		return false;
	parts = calloc(s->n_parts + 1, sizeof(*parts));
	if (!parts)
		return false;
	rows = b.p + s->n_parts * sizeof(struct scap__slice_part);
	n = b.n - s->n_parts * sizeof(struct scap__slice_part);
	s->parts = parts;
	for (uint32_t i = 0; i < s->n_parts; i++) {
		uint64_t offset, bytes;

		parts[i].cpu = scap__get_u16(&b);
		parts[i].lane = scap__get_u16(&b);
		scap__take(&b, 12);
		offset = scap__get_u64(&b);
		bytes = scap__get_u64(&b);
		if (offset > n || bytes > n - offset)
			return false;
		parts[i].rows = rows + offset;
		parts[i].bytes = (size_t)bytes;
	}
	return true;
}

/* Its group may have been written, and then the recorder died before it cut the journal. */
static int write_journal_slice(struct recovery *v, const uint8_t *p, size_t n)
{
	struct scap_slice s;
	int rc = 0;

	if (!parse_slice(p, n, &s)) {
		v->ret->n_damaged++;
	} else if (s.start_ns >= v->w->last_end_ns) {
		if (!v->begun)
			rc = write_front(v, s.start_ns);
		if (!rc)
			rc = scap_writer_slice(v->w, &s);
		v->ret->n_slices += !rc;
		if (rc == -EINVAL) {
			v->ret->n_damaged++;
			rc = 0;
		}
	}
	free((void *)s.parts);
	return rc;
}

/* Only a file is read: the directory may be another user's than ours. */
static int open_journal(const char *path)
{
	int fd = open_quietly(path);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

static void note_slice(struct recovery *v, const uint8_t *p, size_t n, uint64_t *first_ns)
{
	struct scap__bytes b = { p, n, false };
	uint64_t start_ns = scap__get_u64(&b), end_ns = scap__get_u64(&b);
	uint64_t raw_ns = scap__get_u64(&b), real_ns = scap__get_u64(&b);

	if (b.bad)
		return;
	if (start_ns < *first_ns)
		*first_ns = start_ns;
	note_end(v, end_ns, real_ns ? real_ns + (end_ns - raw_ns) : 0);
}

/* What is damaged in a journal is passed over; where it is cut off it ends. */
static int read_journal(struct recovery *v, const char *path, bool write, uint64_t *ret_start)
{
	struct scap__section_in in;
	struct scap__budget budget;
	struct scap__section sec;
	struct scap_error err = { 0 };
	struct scap_source src;
	const uint8_t *p;
	uint32_t version;
	int rc, fd = open_journal(path);

	if (fd < 0) {
		v->ret->n_damaged += write && errno != ENOENT;
		return 0;
	}
	src = scap__fd_source(fd);
	scap__budget_init(&budget, 256u << 20, NULL);
	rc = scap__section_in_init(&in, &src, &budget, &err);
	if (!rc)
		rc = scap__section_in_start(&in, &version);
	if (!rc && in.file_id != v->file_id)
		rc = 1;
	while (!rc) {
		rc = scap__section_next(&in, &sec);
		if (!rc)
			rc = scap__section_payload(&in, &sec, &p);
		if (rc == SCAP_EDAMAGED) {
			v->ret->n_damaged += write;
			rc = 0;
			continue;
		}
		if (rc || sec.type != SCAP__SECTION_SLICE)
			continue;
		if (write)
			rc = write_journal_slice(v, p, (size_t)sec.raw_bytes);
		else
			note_slice(v, p, (size_t)sec.raw_bytes, ret_start);
	}
	scap__section_in_fini(&in);
	if (write && rc < 0 && v->w->refusing)
		return rc;
	v->ret->n_damaged += write && rc < 0 && rc != SCAP_ETRUNCATED;
	return rc == -ENOMEM || rc == SCAP_ELIMIT ? rc : 0;
}

/* write: one after the other; before, the first one is to be found. */
static int read_journals(struct recovery *v, bool write, unsigned *first)
{
	static const char *const suffixes[SCAP__JOURNALS] = SCAP__JOURNAL_SUFFIXES;
	uint64_t start[SCAP__JOURNALS] = { UINT64_MAX, UINT64_MAX };
	char path[4096];
	int rc = 0;

	for (unsigned i = 0; i < SCAP__JOURNALS && !rc; i++) {
		unsigned k = (*first + i) % SCAP__JOURNALS;

		if (snprintf(path, sizeof(path), "%s%s", v->path, suffixes[k]) >=
		    (int)sizeof(path))
			return 0;
		rc = read_journal(v, path, write, &start[k]);
	}
	if (!write)
		*first = start[1] < start[0];
	return rc;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int open_ring(struct recovery *v)
{
	v->fd = open_quietly(v->path);
	if (v->fd < 0)
		return scap__fail(v->err, -errno, SCAP_NO_OFFSET, "cannot open %.160s: %s",
				  v->path, strerror(errno));
	if (flock(v->fd, LOCK_EX | LOCK_NB) < 0)
		return scap__fail(v->err, -EBUSY, SCAP_NO_OFFSET,
				  "%.160s is in use; scap trigger cuts captures out of it",
				  v->path);
	return read_header(v);
}

/* The rings as they stand behind the records: of what was lost there nothing is known. */
static struct scap_ring_end *ends_of_records(const struct scap__index *ix)
{
	struct scap_ring_end *ends = calloc(ix->n_rings + 1, sizeof(*ends));

	for (uint32_t i = 0; ends && i < ix->n_rings; i++)
		ends[i] = (struct scap_ring_end){
			.cpu = i / SCAP_LANES, .lane = i % SCAP_LANES, .next_seq = ix->next_seq[i],
		};
	return ends;
}

/* What it came to hold. */
static int finish(struct recovery *v)
{
	struct scap_writer *w = v->w;
	const struct scap__ring_stood *s;
	struct scap_ring_end *ends, *mine = NULL;
	struct scap_trigger t = trigger(v);
	uint32_t n_rings;
	int rc;

	s = scap__ring_stood_at(v->stood, v->ring_id, w->last_end_ns);
	if (s && !scap__ring_stood_fits(s, &w->index))
		s = NULL;
	ends = s ? s->ends : (mine = ends_of_records(&w->index));
	if (!ends)
		return no_memory(v);
	n_rings = s ? s->n : w->index.n_rings;
	v->ret->end_raw_ns = s ? s->raw_ns : w->last_end_ns;
	t.flags = s ? 0 : SCAP_TRIGGER_KILLED;
	t.from_raw_ns = v->ret->start_raw_ns;
	t.to_raw_ns = v->ret->end_raw_ns;
	t.n_lost = w->index.lost_written + scap__ring_lost(w, ends, n_rings);
	rc = scap_writer_trigger(w, &t);
	if (!rc) {
		v->w = NULL;
		rc = scap__ring_end_capture(w, v->ret->end_raw_ns, ends, n_rings, &v->ret->bytes,
					    v->err);
	}
	free(mine);
	return rc;
}

static int write_all(struct recovery *v)
{
	unsigned first = 0;
	int rc = scap__ring_stood_read(v->fd, v->stood) ? no_memory(v) : 0;

	if (!rc)
		rc = find_places(v);
	if (!rc)
		rc = write_fixed(v, true);
	if (!rc)
		rc = read_journals(v, false, &first);
	if (!rc)
		rc = write_places(v);
	if (!rc)
		rc = read_journals(v, true, &first);
	if (!rc && !v->begun)
		return scap__fail(v->err, v->ret->n_damaged ? SCAP_EDAMAGED : -ENODATA,
				  SCAP_NO_OFFSET, "nothing of a recording is left in %.160s",
				  v->path);
	if (rc && !v->err->code)
		*v->err = *scap_writer_error(v->w);
	v->ret->n_events = v->w->index.n_events;
	return rc ? rc : finish(v);
}

int scap_ring_recover(const char *path, int fd, struct scap_ring_recovered *ret,
		      struct scap_error *err)
{
	struct scap_writer_options o = { .size = sizeof(o) };
	struct scap_sink sink = scap__fd_sink(fd);
	struct scap_error mine = { .offset = SCAP_NO_OFFSET };
	struct scap_ring_recovered none;
	struct recovery v = { .path = path, .fd = -1, .err = &mine, .ret = ret ? ret : &none,
			      .first_position = UINT64_MAX };
	int rc = scap__writer_open_bare(&sink, fd, &o, 0, NULL, &v.w, &mine);

	*v.ret = (struct scap_ring_recovered){ 0 };
	if (!rc) {
		v.w->sealing = true;
		rc = open_ring(&v);
		if (!rc)
			rc = write_all(&v);
		if (v.w)
			scap_writer_close(v.w, 0, NULL, 0, NULL);
	}
	if (v.fd >= 0)
		close(v.fd);
	free(v.buf);
	free(v.look);
	free(v.places);
	scap__ring_stood_fini(v.stood);
	if (rc && err)
		*err = mine;
	return rc;
}
