/* SPDX-License-Identifier: MIT */
#include "format/reader.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/error.h"
#include "core/options.h"
#include "savefile/savefile.h"

#define MEMORY_DEFAULT_BYTES (256ull << 20)
#define READER_FLAGS (SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES | SCAP_READER_SEALS | \
		      SCAP_READER_SCHEMA | SCAP_READER_SEGMENTS)

/* ---- opening ------------------------------------------------------------------------------- */

static bool follows(void *ctx, uint32_t ring, uint32_t first_seq)
{
	const struct scap_reader *r = ctx;

	bool used = ring < r->n_rings && r->rings[ring].segment == r->info.n_segments;

	if (r->unsynced && !(used && r->rings[ring].any))
		return true;
	return first_seq == (used ? r->rings[ring].next_seq : 0);
}

static void init(struct scap_reader *r, const struct scap_reader_options *opt)
{
	r->choice.follows = follows;
	r->choice.follows_ctx = r;
	r->flags = opt->flags;
	r->entries.budget = r->schema.budget = &r->budget;
	scap__merge_init(&r->merge, &r->budget);
	scap__intros_init(&r->intros, &r->budget);
	scap__intros_init(&r->key.intros, &r->budget);
	scap__arena_init(&r->strings, &r->budget);
	scap__arena_init(&r->segment_strings, &r->budget);
	scap__segment_init(r);
}

static int reader_new(const struct scap_reader_options *opt, struct scap_reader **ret_r)
{
	struct scap__budget budget;
	void *p;
	int rc;

	scap__budget_init(&budget, opt->memory_limit ? opt->memory_limit : MEMORY_DEFAULT_BYTES,
			  opt->allocator);
	rc = scap__alloc_zeroed(&budget, sizeof(struct scap_reader), &p);
	if (rc)
		return rc;
	*ret_r = p;
	(*ret_r)->budget = budget;
	init(*ret_r, opt);
	return 0;
}

static int read_host(struct scap_reader *r)
{
	struct scap__section sec;
	const uint8_t *p;
	int rc = scap__section_next(&r->in, &sec);

	if (rc == SCAP__NEXT_SEGMENT)
		return scap__fail(&r->error, SCAP_EDAMAGED, r->in.input.offset,
				  "a capture has nothing but a header");
	if (rc > 0)
		return scap__fail(&r->error, SCAP_ETRUNCATED, r->in.input.offset,
				  "the capture is cut off behind its header");
	if (rc)
		return rc;
	rc = scap__section_payload(&r->in, &sec, &p);
	if (!rc)
		rc = scap__seals_add(r, &sec);
	if (rc)
		return rc;
	if (sec.type != SCAP__SECTION_HOST)
		return scap__fail(&r->error, SCAP_EDAMAGED, sec.offset,
				  "the capture does not begin with a description of its host");
	return scap__host_read(r, p, (size_t)sec.raw_bytes);
}

static int read_section(struct scap_reader *r, const struct scap__section *sec);

/* Reads the next section, if it is of this type. */
static int read_if(struct scap_reader *r, enum scap__section_type type)
{
	struct scap__section sec;
	int rc = scap__section_is_next(&r->in, type);

	if (rc <= 0)
		return rc;
	rc = scap__section_next(&r->in, &sec);
	return rc ? rc : read_section(r, &sec);
}

/*
 * What says where and why it begins is read with HOST. The events may be sound even if these are
 * not. What is translated has neither, and would be translated for it.
 */
int scap__reader_start(struct scap_reader *r)
{
	int rc = scap__section_in_start(&r->in, &r->info.format_version);

	if (rc)
		return rc;
	rc = read_host(r);
	if (rc && rc != SCAP_EDAMAGED)
		return rc;
	if (!rc && !r->savefile)
		rc = read_if(r, SCAP__SECTION_START);
	if (!rc && !r->savefile)
		rc = read_if(r, SCAP__SECTION_TRIGGER);
	r->pending = rc;
	return 0;
}

static const char *memory_text(int rc)
{
	return rc == -ENOMEM ? "out of memory" : "the capture needs more memory than the limit";
}

static void open_failed(struct scap_reader *r, int rc)
{
	if (rc == -ENOMEM || rc == SCAP_ELIMIT)
		scap__fail(&r->error, rc, SCAP_NO_OFFSET, "%s", memory_text(rc));
	else
		scap__fail(&r->error, rc, r->in.input.offset, "reading the capture failed: %s",
			   strerror(-rc));
}

/* Beside it journals are looked for. */
static int keep_path(struct scap_reader *r, const char *path)
{
	size_t n = strlen(path) + 1;
	void *room;
	int rc = scap__arena_room(&r->strings, n, &room);

	if (rc)
		return scap__fail(&r->error, rc, SCAP_NO_OFFSET, "%s", memory_text(rc));
	r->path = memcpy(room, path, n);
	return 0;
}

static void close_source(const struct scap_source *src)
{
	if (src->close)
		src->close(src->ctx);
}

static int refuse_source(const struct scap_source *src, struct scap_error *err, int code,
			 const char *text)
{
	close_source(src);
	return scap__fail(err, code, SCAP_NO_OFFSET, "%s", text);
}

int scap_reader_open_source(const struct scap_source *src, const struct scap_reader_options *opt,
			    struct scap_reader **ret_r, struct scap_error *err)
{
	struct scap_reader_options o;
	struct scap_reader *r;
	int rc = scap__options_copy(&o, sizeof(o), opt);

	if (rc || o.flags & ~READER_FLAGS || !scap__allocator_is_valid(o.allocator))
		return refuse_source(src, err, rc ? rc : -EINVAL,
				     "the reader's options are not valid");
	rc = reader_new(&o, &r);
	if (rc)
		return refuse_source(src, err, rc, memory_text(rc));
	rc = scap__section_in_init(&r->in, src, &r->budget, &r->error);
	if (!rc)
		rc = scap__savefile_open(&r->in.input, &r->budget, &r->savefile);
	if (rc)
		open_failed(r, rc);
	r->in.sealing = o.flags & SCAP_READER_SEALS;
	r->in.several = !r->savefile;
	if (!rc)
		rc = scap__reader_start(r);
	if (!rc && !r->savefile)
		rc = scap__index_open(r);
	if (!rc && o.path)
		rc = keep_path(r, o.path);
	if (r->savefile)
		scap__savefile_after(r->savefile, rc, &r->error, &r->info);
	scap__segment_sum(r);
	if (rc) {
		if (err)
			*err = r->error;
		scap_reader_close(r);
		return rc;
	}
	*ret_r = r;
	return 0;
}

/* Says which file, where the message does not. */
static void add_path(struct scap_error *err, const char *path)
{
	char text[sizeof(err->text)];

	memcpy(text, err->text, sizeof(text));
	scap__fail(err, err->code, err->offset, "%.100s: %.150s", path, text);
}

int scap_reader_open_path(const char *path, const struct scap_reader_options *opt,
			  struct scap_reader **ret_r, struct scap_error *err)
{
	struct scap_reader_options o;
	struct scap_source src;
	int rc = scap__options_copy(&o, sizeof(o), opt);

	if (rc)
		return scap__fail(err, rc, SCAP_NO_OFFSET, "the reader's options are not valid");
	rc = scap__path_source(path, &src, err);
	if (rc)
		return rc;
	o.size = sizeof(o);
	o.path = strcmp(path, "-") ? path : NULL;
	rc = scap_reader_open_source(&src, &o, ret_r, err);
	if (rc && err)
		add_path(err, path);
	return rc;
}

void scap_reader_close(struct scap_reader *r)
{
	struct scap__budget budget;

	if (!r)
		return;
	scap__section_in_fini(&r->in);
	scap__merge_fini(&r->merge);
	scap__intros_fini(&r->intros);
	scap__intros_fini(&r->key.intros);
	scap__arena_fini(&r->strings);
	scap__arena_fini(&r->segment_strings);
	scap__group_in_free(r->group);
	scap__buffer_fini(&r->entries);
	scap__buffer_fini(&r->schema);
	scap__free(&r->budget, r->rings, r->n_rings * sizeof(*r->rings));
	budget = r->budget;
	scap__free(&budget, r, sizeof(*r));
}

void scap__reader_choose(struct scap_reader *r, const struct scap__chooser *chooser)
{
	r->choice.chooser = chooser;
	r->choice.version++;
}

const struct scap_error *scap_reader_error(const struct scap_reader *r)
{
	return &r->error;
}

const struct scap_capture_info *scap_reader_info(const struct scap_reader *r)
{
	return &r->total;
}

const struct scap_capture_info *scap_reader_segment(const struct scap_reader *r)
{
	return &r->info;
}

uint64_t scap_reader_told_wall_ns(const struct scap_reader *r)
{
	uint64_t told_ns = r->slice_end_ns > r->info.start_raw_ns ? r->slice_end_ns :
			   r->info.start_raw_ns;

	if (r->info.complete && !scap__trigger_killed(r))
		return UINT64_MAX;
	for (uint32_t i = 0; i < r->n_rings; i++)
		if (r->rings[i].any && r->rings[i].last_ns < told_ns)
			told_ns = r->rings[i].last_ns;
	return scap__reader_wall_ns(r, told_ns);
}

/* ---- accounting ---------------------------------------------------------------------------- */

static __attribute__((noinline)) int grow_rings(struct scap_reader *r, uint32_t ring)
{
	uint32_t n = ring + 1 > r->n_rings * 2 ? ring + 1 : r->n_rings * 2;
	size_t had = r->n_rings * sizeof(*r->rings), bytes = n * sizeof(*r->rings);
	void *rings = r->rings;
	int rc = scap__realloc(&r->budget, &rings, had, bytes);

	if (rc)
		return rc;
	r->rings = rings;
	memset(r->rings + r->n_rings, 0, bytes - had);
	r->n_rings = n;
	return 0;
}

int scap__reader_ring(struct scap_reader *r, uint32_t ring, struct scap__ring **ret)
{
	int rc = ring < r->n_rings ? 0 : grow_rings(r, ring);

	if (rc)
		return rc;
	*ret = &r->rings[ring];
	if ((*ret)->segment != r->info.n_segments) {
		(*ret)->segment = r->info.n_segments;
		(*ret)->next_seq = (*ret)->tail = (*ret)->first_seq = 0;
		(*ret)->last_ns = 0;
		(*ret)->any = false;
	}
	return 0;
}

/* Modulo 2^64: the triple of a slice is taken after its first records. */
uint64_t scap__reader_wall_ns(const struct scap_reader *r, uint64_t raw_ns)
{
	const struct scap__clock *c = &r->clock;

	return c->known ? c->real_ns + (raw_ns - c->raw_ns) : raw_ns;
}

static bool is_bookkeeping(unsigned type)
{
	return type >= SCAP_REC_INTRO;
}

/*
 * Sequence numbers run on from one record of a ring to the next. A GAP explains a hole in front of
 * it, as far as it goes; it cannot explain more than the hole. *ret_hole: what is not explained.
 */
static const char *check_sequence(const struct scap__ring *c, const struct scap_event *ev,
				  uint32_t *ret_hole)
{
	uint32_t missing = ev->seq - c->next_seq, explained = 0;
	const char *what = NULL;

	if (missing > INT32_MAX) {
		missing = 0;
		what = "a ring's sequence numbers go back";
	} else if (ev->type == SCAP_REC_GAP) {
		explained = ev->u.gap.n_lost;
		if ((uint64_t)(ev->u.gap.first_seq - c->next_seq) + explained > missing) {
			explained = 0;
			what = "a gap does not fit into the sequence numbers around it";
		}
	}
	*ret_hole = missing - explained;
	return what;
}

static void count(struct scap__ring *c, const struct scap_event *ev, bool known)
{
	c->any = c->seen = true;
	c->row_bytes += ev->rec_bytes;
	c->bookkeeping += is_bookkeeping(ev->type);
	c->events += !is_bookkeeping(ev->type);
	c->unknown += !known && !is_bookkeeping(ev->type);
}

/*
 * A hole that no record explains becomes an event of its own, between the records around it.
 * ev->raw_ns, the time of what comes behind it, is set.
 */
static void make_hole(struct scap_reader *r, struct scap__ring *c, uint32_t n)
{
	uint64_t end_ns = r->ev.raw_ns, start_ns = c->any ? c->last_ns : r->info.start_raw_ns;

	if (!start_ns || start_ns > end_ns)
		start_ns = end_ns;
	r->ev = (struct scap_event){
		.raw_ns = end_ns, .wall_ns = scap__reader_wall_ns(r, end_ns),
		.cpu = (uint32_t)(c - r->rings) / SCAP_LANES,
		.ring = (uint32_t)(c - r->rings), .seq = c->next_seq, .type = SCAP_REC_GAP,
		.nr = INT64_MIN, .latency_ns = SCAP_LATENCY_NONE,
		.u.gap = { .first_ns = start_ns, .last_ns = end_ns, .first_seq = c->next_seq,
			   .n_lost = n, .unexplained = true },
	};
	c->unexplained += n;
	c->seen = true;
}

/* What the rings' ends say is missing behind each ring's last record: 0; 1 when all was told. */
static int next_tail(struct scap_reader *r)
{
	for (; r->tail_ring < r->tail_end; r->tail_ring++) {
		struct scap__ring *c = &r->rings[r->tail_ring];
		uint32_t n = c->tail;

		if (!n)
			continue;
		c->tail = 0;
		r->ev.raw_ns = r->info.end_raw_ns;
		make_hole(r, c, n);
		r->ev.u.gap.at_end = scap__trigger_here(r);
		return 0;
	}
	return 1;
}

/* ---- records ------------------------------------------------------------------------------- */

static int damaged_row(struct scap_reader *r, const char *what)
{
	return scap__fail(&r->error, SCAP_EDAMAGED, r->in.input.offset,
			  "a slice is damaged: %s", what);
}

int scap__reader_no_memory(struct scap_reader *r, int rc)
{
	scap__fail(&r->error, rc, r->in.input.offset, "%s", memory_text(rc));
	return r->over = rc;
}

/* Fills in what the record itself does not say: 0 deliver it, 1 not for the caller, or an error. */
static int finish_event(struct scap_reader *r)
{
	struct scap_event *ev = &r->ev;

	if (ev->type >= SCAP_REC_KEY_TASK && ev->type <= SCAP_REC_KEY_END)
		return 1;	/* a keyframe's: it has no place here */
	ev->wall_ns = scap__reader_wall_ns(r, ev->raw_ns);
	ev->num = 0;
	if (ev->type == SCAP_REC_INTRO || ev->type == SCAP_REC_FILE) {
		int rc = scap__intros_add(&r->intros, ev);

		if (rc)
			return scap__reader_no_memory(r, rc);
		return r->flags & SCAP_READER_BOOKKEEPING ? 0 : 1;
	}
	scap__intros_attach(&r->intros, ev);
	if (!is_bookkeeping(ev->type))
		ev->num = ++r->n_events;
	return 0;
}

/*
 * Whether the decoded record follows the one before it: 0; 1 when the hole in front of it is the
 * event to be delivered, after which the record is taken again; or it is damaged.
 */
static int follow_sequence(struct scap_reader *r, struct scap__ring *c)
{
	uint32_t hole = 0;

	if (r->unsynced && !c->any)
		c->next_seq = r->ev.seq;
	if (!r->hole_told) {
		r->hole_damage = check_sequence(c, &r->ev, &hole);
		r->hole_told = hole != 0;
	} else {
		r->hole_told = false;
	}
	if (hole) {
		r->advance = false;
		make_hole(r, c, hole);
		return 1;
	}
	c->next_seq = r->ev.seq + 1;
	c->last_ns = r->ev.raw_ns;
	return r->hole_damage ? damaged_row(r, r->hole_damage) : 0;
}

/* One of a slice of which not all are there: nothing is missing, and all was counted already. */
static int take_chosen(struct scap_reader *r, int decoded, const char *what)
{
	struct scap__group_part *part = r->chosen->parts;
	uint32_t i;
	int rc;

	while (part->ring != r->ev.ring)
		part++;
	i = part->index[part->at++];
	if (decoded < 0)
		return damaged_row(r, what);
	if (decoded) {
		r->rings[r->ev.ring].unknown += !is_bookkeeping(r->ev.type);
		return 1;
	}
	rc = finish_event(r);
	if (rc || is_bookkeeping(r->ev.type))
		return rc;
	r->n_events--;
	r->ev.num = r->n_before + scap__group_rank(r->chosen, part, i) + 1;
	return 0;
}

/* The record at the merge's top. */
static int take_record(struct scap_reader *r, const struct scap__cursor *top)
{
	struct scap_event *ev = &r->ev;
	const char *what = NULL;
	struct scap__ring *c;
	int decoded, rc;

	r->advance = true;
	scap__intros_enter_epoch(&r->intros, top->order_ns >> SCAP_EPOCH_SHIFT);
	decoded = scap__event_decode(top->p, top->bytes, ev, &what);
	ev->ring = top->ring;
	ev->cpu = top->ring / SCAP_LANES;
	if (r->chosen)
		return take_chosen(r, decoded, what);
	if (decoded < 0)
		return damaged_row(r, what);
	rc = scap__reader_ring(r, top->ring, &c);
	if (rc)
		return scap__reader_no_memory(r, rc);
	rc = follow_sequence(r, c);
	if (rc)
		return rc < 0 ? rc : 0;
	count(c, ev, !decoded);
	if (!decoded)
		return finish_event(r);
	/* What is not known here has a number all the same, or others would count otherwise. */
	r->n_events += !is_bookkeeping(ev->type);
	return 1;
}

/* The slice's next event: 0; 1 when it is done; or an error, after which it goes on. */
static int next_in_slice(struct scap_reader *r)
{
	for (;;) {
		const struct scap__cursor *top;
		int rc;

		if (r->advance) {
			r->advance = false;
			if (scap__merge_advance(&r->merge))
				return damaged_row(r, "a CPU's records do not fill their part");
		}
		top = scap__merge_top(&r->merge);
		if (!top)
			return 1;
		rc = take_record(r, top);
		if (rc <= 0)
			return rc;
	}
}

/* ---- sections ------------------------------------------------------------------------------ */

static int read_payload(struct scap_reader *r, const struct scap__section *sec)
{
	const uint8_t *p;
	int rc = scap__section_payload(&r->in, sec, &p);

	if (rc)
		return rc;
	r->info.raw_bytes += sec->raw_bytes;
	rc = r->unsynced ? scap__index_sync(r, sec) : 0;
	if (rc)
		return rc;
	if (sec->type == SCAP__SECTION_SLICE)
		return scap__slice_read(r, sec, p);
	if (sec->type == SCAP__SECTION_KEYFRAME)
		return scap__keyframe_read(r, sec, p);
	if (sec->type == SCAP__SECTION_GROUP)
		return scap__group_read(r, sec, p);
	if (sec->type == SCAP__SECTION_SEAL)
		return scap__seal_read(r, sec, p);
	if (sec->type == SCAP__SECTION_INDEX)
		return scap__index_check(r, sec, p);
	if (sec->type == SCAP__SECTION_SCHEMA)
		return scap__schema_read(r, p, (size_t)sec->raw_bytes);
	if (sec->type == SCAP__SECTION_START)
		return scap__start_read(r, sec, p);
	if (sec->type == SCAP__SECTION_TRIGGER)
		return scap__trigger_read(r, sec, p);
	return scap__end_read(r, sec, p);
}

static int read_section(struct scap_reader *r, const struct scap__section *sec)
{
	int rc, seal_rc;

	if ((sec->type >= SCAP__SECTION_SLICE && sec->type <= SCAP__SECTION_GROUP) ||
	    (sec->type == SCAP__SECTION_SEAL && r->in.sealing) ||
	    (sec->type == SCAP__SECTION_INDEX && r->index_seen) ||
	    (sec->type == SCAP__SECTION_SCHEMA && r->flags & SCAP_READER_SCHEMA) ||
	    sec->type == SCAP__SECTION_START || sec->type == SCAP__SECTION_TRIGGER)
		rc = read_payload(r, sec);
	else
		rc = scap__section_skip(&r->in, sec);
	r->info.n_unknown += sec->type > SCAP__SECTION_LAST_KNOWN;
	seal_rc = scap__seals_add(r, sec);
	return rc ? rc : seal_rc;
}

/* Whatever comes behind the end, but for another segment, is told once and then passed over. */
static int behind_end(struct scap_reader *r, uint64_t offset, int rc)
{
	if (rc == 1)
		return r->over = 1;
	if (rc && rc != SCAP_EDAMAGED && rc != SCAP_ETRUNCATED)
		return r->over = rc;
	if (r->in.between) {
		r->unread = true;
		return rc;
	}
	r->in.lost = r->in.between = true;
	return scap__fail(&r->error, SCAP_EDAMAGED, offset,
			  "bytes follow behind the capture's end");
}

/* A seal over the end, then the index. */
static bool belongs_behind_end(struct scap_reader *r, const struct scap__section *sec)
{
	bool *seen = sec->type == SCAP__SECTION_SEAL ? &r->end_sealed : &r->index_seen;

	if (*seen || r->index_seen ||
	    (sec->type != SCAP__SECTION_SEAL && sec->type != SCAP__SECTION_INDEX))
		return false;
	return *seen = true;
}

/* What became of a section: where it was cut off a journal may go on. */
static int judge(struct scap_reader *r, int rc)
{
	r->unread |= rc < 0 && r->in.between;
	if (rc == SCAP_ETRUNCATED && !r->end_seen) {
		int journal_rc = scap__journal_begin(r);

		rc = journal_rc > 0 ? rc : journal_rc;
	}
	/* What reading behind it can't help. */
	if (rc && rc != SCAP_EDAMAGED && rc != SCAP_EVERSION)
		r->over = rc;
	return rc;
}

static int next_section(struct scap_reader *r)
{
	struct scap__section sec;
	uint64_t offset = r->in.input.offset;
	int rc = scap__section_next(&r->in, &sec);

	if (rc == SCAP__NEXT_SEGMENT)
		return scap__segment_next(r);
	if (r->end_seen && (rc || !belongs_behind_end(r, &sec)))
		return behind_end(r, offset, rc);
	if (rc == 1)
		rc = scap__fail(&r->error, SCAP_ETRUNCATED, r->in.input.offset,
				"the capture has no end: its recorder was killed, or still writes");
	if (!rc)
		rc = read_section(r, &sec);
	return judge(r, rc);
}

static int next_event(struct scap_reader *r)
{
	for (;;) {
		int rc = scap__keyframe_next(r);

		if (rc > 0)
			rc = next_in_slice(r);
		if (rc <= 0)
			return rc;
		r->changed = true;
		rc = scap__group_next(r);
		if (rc < 0)
			return rc;
		if (!rc)
			continue;
		if (r->over)
			return r->over;
		if (r->end_seen && next_tail(r) == 0)
			return 0;
		rc = next_section(r);
		r->info.file_bytes = r->before_journal + r->in.input.offset - r->info.offset;
		if (rc)
			return rc;
	}
}

int scap_reader_next(struct scap_reader *r, const struct scap_event **ret_ev)
{
	int rc = r->pending;

	r->pending = 0;
	if (rc)
		rc = judge(r, rc);
	if (!rc)
		rc = r->over < 0 ? r->over : next_event(r);
	if (r->savefile)
		scap__savefile_after(r->savefile, rc, &r->error, &r->info);
	if (r->changed || r->savefile)
		scap__segment_sum(r);
	if (rc < 0)
		r->damage_seen = true;
	if (!rc)
		*ret_ev = &r->ev;
	return rc;
}
