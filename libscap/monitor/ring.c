/* SPDX-License-Identifier: MIT */
/*
 * One ring's records, as they lie. A thread's and a file's introductions are in each ring that has
 * records of them, so that no order over the rings is needed to know them; only where one was lost
 * the last one of any ring stands in.
 */
#include "monitor/monitor.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"

#define ANY_RING	0xffffffffu
#define MAX_ERRNO	4095
#define MANY		(SCAP_SIGNAL_ERRNOS - 1)
#define SYS_CONNECT	3	/* socketcall(2): SYS_CONNECT */
#define MSG_PEEK	0x2	/* recv(2) */

struct walk {
	struct scap_monitor *m;
	const uint8_t *p;
	struct scap__monitor_part *part;
	struct scap__program *program;	/* of tid, if `cached`; NULL: signals are not kept */
	uint64_t order_ns;
	uint64_t last_ns;	/* of the slice */
	uint32_t part_index;
	uint32_t n_events;	/* before p */
	uint32_t tid;
	uint32_t cookie;	/* of `file` */
	uint32_t file;
	uint32_t http_cookie;	/* what becomes of the pick */
	uint16_t kind;
	uint8_t http_io;
	bool cached;
	bool signals;		/* are kept */
	bool follows;		/* files are of interest */
};

/* ---- names --------------------------------------------------------------------------------- */

static uint64_t key_of(uint32_t ring, uint32_t id)
{
	return (uint64_t)(ring == ANY_RING ? ANY_RING : ring + 1) << 32 | id;
}

static void *look_up(const struct scap__map *map, uint32_t ring, uint32_t id)
{
	void *v = scap__map_get(map, key_of(ring, id));

	return v ? v : scap__map_get(map, key_of(ANY_RING, id));
}

static int set_both(struct scap__map *map, uint32_t ring, uint32_t id, void *value)
{
	int rc = scap__map_set(map, key_of(ring, id), value);

	return rc ? rc : scap__map_set(map, key_of(ANY_RING, id), value);
}

static int learn_thread(struct walk *w)
{
	const uint8_t *p = w->p;
	uint32_t tid = scap__le32(p + offsetof(struct scap_rec_intro, tid));
	struct scap__program *program;

	w->cached = false;
	program = scap__programs_get(&w->m->programs, p + offsetof(struct scap_rec_intro, comm),
				     scap__le64(p + offsetof(struct scap_rec_intro, cgroup_id)));
	return set_both(&w->m->threads, w->part->ring, tid, program);
}

/* The kind, and whether what is written to it is a stream of bytes. */
static uint32_t file_of_record(const uint8_t *p)
{
	const uint8_t *blob = p + sizeof(struct scap_rec_file), *sock = blob + 8;
	uint32_t file = SCAP__FILE_KNOWN | scap__le16(p + offsetof(struct scap_rec_file, kind));
	uint32_t meta;

	if (scap__rec_bytes(p) < sizeof(struct scap_rec_file) + 8 + sizeof(struct scap_sock))
		return file;
	meta = scap__le32(blob);
	if (SCAP_BLOB_SLOT(meta) == SCAP_SLOT_SOCK &&
	    scap__le16(sock + offsetof(struct scap_sock, type)) == 1)
		file |= SCAP__FILE_STREAM;
	return file;
}

static int learn_file(struct walk *w)
{
	uint32_t cookie = scap__le32(w->p + offsetof(struct scap_rec_file, cookie));

	w->cookie = 0;
	if (!cookie)
		return 0;
	return set_both(&w->m->files, w->part->ring, cookie,
			(void *)(uintptr_t)file_of_record(w->p));
}

static uint32_t file_of(struct walk *w, uint32_t cookie)
{
	if (!cookie)
		return 0;
	if (cookie != w->cookie) {
		w->file = (uint32_t)(uintptr_t)look_up(&w->m->files, w->part->ring, cookie);
		w->cookie = cookie;
	}
	return w->file;
}

static __attribute__((noinline)) void find_program(struct walk *w, uint32_t tid)
{
	struct scap__program *program = look_up(&w->m->threads, w->part->ring, tid);

	w->program = program ? program : &w->m->programs.v[0];
	w->tid = tid;
	w->cached = true;
}

/* ---- bytes --------------------------------------------------------------------------------- */

static bool is_storage(uint32_t file)
{
	return SCAP__FILE_KIND(file) == SCAP_KIND_FILE || SCAP__FILE_KIND(file) == SCAP_KIND_BLOCK;
}

static bool is_network(uint32_t file)
{
	uint32_t kind = SCAP__FILE_KIND(file);

	return kind == SCAP_KIND_INET || kind == SCAP_KIND_INET6 || kind == SCAP_KIND_VSOCK ||
	       kind == SCAP_KIND_PACKET;
}

static void count_in(struct walk *w, uint32_t file, uint64_t n)
{
	if (!w->program)
		return;
	w->program->s.file_in += is_storage(file) ? n : 0;
	w->program->s.net_in += is_network(file) ? n : 0;
}

static void count_out(struct walk *w, uint32_t file, uint64_t n)
{
	if (!w->program)
		return;
	w->program->s.file_out += is_storage(file) ? n : 0;
	w->program->s.net_out += is_network(file) ? n : 0;
}

/* Something that matters to HTTP; what is no stream does not. */
static uint8_t http(struct walk *w, uint32_t file, uint32_t cookie, enum scap__http_io io)
{
	if (!(file & SCAP__FILE_STREAM))
		return 0;
	w->http_cookie = cookie;
	w->http_io = io;
	return SCAP__PICK_HTTP;
}

/* A CALL's words behind its fixed part: wide values, as its flags say, then cookies, arguments. */
static const uint8_t *words_of(const uint8_t *p)
{
	unsigned wide = (p[3] & 1) + (p[3] >> 1 & 1) + (p[3] >> 2 & 1);

	return p + sizeof(struct scap_rec_call) + 8 * wide;
}

/* What was only looked at is read later, if at all. */
static bool peeks(const uint8_t *p, unsigned msg_flags)
{
	const uint8_t *arg = words_of(p) + 8 + 8 * msg_flags;	/* behind cookies */

	return msg_flags && arg + 8 <= p + scap__rec_bytes(p) &&
	       msg_flags < SCAP_SHAPE_NARGS(p[offsetof(struct scap_rec_call, shape)]) &&
	       scap__le64(arg) & MSG_PEEK;
}

/* The length of the message that the record has. */
static uint64_t first_message(const uint8_t *p)
{
	const uint8_t *blob = words_of(p) + 8;	/* behind cookies */
	uint32_t orig;

	blob += 8 * SCAP_SHAPE_NARGS(p[offsetof(struct scap_rec_call, shape)]);
	if (blob + sizeof(struct scap_blob) > p + scap__rec_bytes(p))
		return 0;
	orig = scap__le32(blob + offsetof(struct scap_blob, orig_bytes));
	return SCAP_BLOB_SLOT(scap__le32(blob)) == 1 && orig != SCAP_LEN_UNKNOWN ? orig : 0;
}

static uint8_t move_bytes(struct walk *w, uint32_t from, uint32_t to, uint64_t n)
{
	count_in(w, file_of(w, from), n);
	count_out(w, file_of(w, to), n);
	return http(w, file_of(w, to), to, SCAP__HTTP_UNSEEN);
}

/* A call that may be about bytes, has cookies and did not fail. */
static __attribute__((noinline)) uint8_t go_over_io(struct walk *w,
						    const struct scap__monitor_kind *kind,
						    uint64_t ret)
{
	const uint8_t *words = words_of(w->p);
	uint32_t cookie = scap__le32(words), file;
	unsigned io = kind->io;

	if (io == SCAP__IO_SENDFILE)
		return ret ? move_bytes(w, scap__le32(words + 4), cookie, ret) : 0;
	if (io == SCAP__IO_MOVE)
		return ret ? move_bytes(w, cookie, scap__le32(words + 4), ret) : 0;
	file = file_of(w, cookie);
	if (io == SCAP__IO_CLOSE)
		return http(w, file, cookie, SCAP__HTTP_CLOSE);
	if (!ret || peeks(w->p, kind->msg_flags))
		return 0;
	switch (io) {
	case SCAP__IO_IN:
		count_in(w, file, ret);
		return http(w, file, cookie, SCAP__HTTP_READ);
	case SCAP__IO_OUT:
		count_out(w, file, ret);
		return http(w, file, cookie, SCAP__HTTP_WRITE);
	case SCAP__IO_IN_MANY:
		count_in(w, file, first_message(w->p));
		return http(w, file, cookie, SCAP__HTTP_READ);
	case SCAP__IO_OUT_MANY:
		count_out(w, file, first_message(w->p));
		return http(w, file, cookie,
			    ret > 1 ? SCAP__HTTP_WRITE_MANY : SCAP__HTTP_WRITE);
	}
	return 0;
}

/* ---- calls --------------------------------------------------------------------------------- */

static bool is_connect(const uint8_t *p, unsigned io)
{
	const uint8_t *args = words_of(p) + (p[3] & SCAP_CALL_COOKIES ? 8 : 0);

	return io == SCAP__IO_CONNECT ||
	       (io == SCAP__IO_SOCKETCALL && args + 8 <= p + scap__rec_bytes(p) &&
		SCAP_SHAPE_NARGS(p[offsetof(struct scap_rec_call, shape)]) &&
		scap__le64(args) == SYS_CONNECT);
}

static __attribute__((noinline)) void count_failed(struct walk *w, unsigned io, unsigned error)
{
	struct scap_signals *s = &w->program->s;

	s->n_failed++;
	s->failed[error < MANY ? error : MANY]++;
	s->n_refused += error == ECONNREFUSED && is_connect(w->p, io);
}

static int64_t result_of(const uint8_t *p)
{
	if (p[3] & SCAP_CALL_RET64)
		return (int64_t)scap__le64(p + sizeof(struct scap_rec_call) +
					   8 * (p[3] & SCAP_CALL_NR64));
	return (int32_t)scap__le32(p + offsetof(struct scap_rec_call, ret));
}

/* SCAP__PICK_HTTP, or 0. */
static uint8_t go_over_call(struct walk *w, const struct scap__monitor_kind *kind)
{
	const uint8_t *p = w->p;
	int64_t ret;

	if (w->signals) {
		uint32_t tid = scap__le32(p + offsetof(struct scap_rec_call, tid));

		if (!w->cached || tid != w->tid)
			find_program(w, tid);
		w->program->s.n_calls++;
	}
	if (p[3] & SCAP_CALL_TRAPPED || kind->no_result ||
	    p[offsetof(struct scap_rec_call, more)] & SCAP_MORE_NO_RET)
		return 0;
	ret = result_of(p);
	if (ret < 0 && ret >= -MAX_ERRNO) {
		if (w->signals)
			count_failed(w, kind->io, (unsigned)-ret);
		return 0;
	}
	if (!kind->io || ret < 0 || !(p[3] & SCAP_CALL_COOKIES))
		return 0;
	return go_over_io(w, kind, (uint64_t)ret);
}

/* ---- all ----------------------------------------------------------------------------------- */

/* The place in the table of kinds; numbers that have none there are all the same. */
static uint32_t kind_of(const uint8_t *p)
{
	bool enter = p[2] == SCAP_REC_ENTER;
	uint64_t nr = scap__le16(p + offsetof(struct scap_rec_call, nr));
	uint8_t shape = p[offsetof(struct scap_rec_call, shape)];
	unsigned abi;

	if (p[2] > SCAP_REC_ENTER)
		return p[2];
	if (enter) {
		nr = scap__le16(p + offsetof(struct scap_rec_enter, nr));
		shape = p[offsetof(struct scap_rec_enter, shape)];
	}
	abi = SCAP_SHAPE_ABI(shape);
	if (!enter && p[3] & SCAP_CALL_NR64)
		nr = scap__le64(p + sizeof(struct scap_rec_call)) &
		     ~(abi == SCAP_ABI_X32 ? 0x40000000ull : 0);
	if (nr >= SCAP__NRS || abi >= SCAP_ABIS)
		return SCAP__KIND_OTHER + enter;
	return (uint32_t)(SCAP__KIND_CALLS + (enter * SCAP_ABIS + abi) * SCAP__NRS + nr);
}

/* The same of calls as most are; 0: it is none. */
static inline uint32_t usual_kind_of(const uint8_t *p)
{
	const uint32_t abi_and_large_nr = 0xf8fe00;
	uint32_t word;

	/* Others may be too short for a number. */
	if ((scap__le16(p + 2) & (SCAP_CALL_NR64 << 8 | 0xff)) != SCAP_REC_CALL)
		return 0;
	word = scap__le32(p + offsetof(struct scap_rec_call, nr));
	if (word & abi_and_large_nr)
		return 0;
	return SCAP__KIND_CALLS + (word & (SCAP__NRS - 1));
}

static __attribute__((noinline)) int grow_picks(struct scap_monitor *m)
{
	uint32_t cap = m->picks_cap ? m->picks_cap * 2 : 1024;
	void *p = m->picks;
	int rc = scap__realloc(NULL, &p, m->picks_cap * sizeof(*m->picks), cap * sizeof(*m->picks));

	if (rc)
		return rc;
	m->picks = p;
	m->picks_cap = cap;
	return 0;
}

static __attribute__((noinline)) int pick(struct walk *w, uint8_t why)
{
	struct scap_monitor *m = w->m;

	if (m->n_picks == m->picks_cap) {
		int rc = grow_picks(m);

		if (rc)
			return rc;
	}
	m->picks[m->n_picks++] = (struct scap__pick){
		.p = w->p, .order_ns = w->order_ns < w->last_ns ? w->order_ns : w->last_ns,
		.program = w->program, .part = w->part_index, .n_before = w->n_events,
		.cookie = w->http_cookie, .kind = w->kind, .why = why, .io = w->http_io,
	};
	return 0;
}

static __attribute__((noinline)) int go_over_name(struct walk *w)
{
	struct scap_monitor *m = w->m;
	int rc = 0;

	if (w->p[2] == SCAP_REC_INTRO && w->signals)
		rc = learn_thread(w);
	if (w->p[2] == SCAP_REC_FILE && w->follows)
		rc = learn_file(w);
	if (!rc && m->conditions->n)
		rc = pick(w, SCAP__PICK_NAME);
	return rc;
}

static int go_over_event(struct walk *w, uint32_t i)
{
	struct scap__monitor_kind *kind = &w->m->conditions->kinds[i];
	uint8_t why = 0;

	if (kind->known == SCAP__KNOWN_NOT)
		scap__conditions_learn(w->m->conditions, i);
	if (w->follows && w->p[2] == SCAP_REC_CALL)
		why = go_over_call(w, kind);
	if (kind->known == SCAP__KNOWN_WANTED)
		why |= SCAP__PICK_WANTED;
	w->kind = (uint16_t)i;
	return why ? pick(w, why) : 0;
}

static __attribute__((noinline)) int go_over_other(struct walk *w)
{
	if (w->p[2] <= SCAP_REC_FAULT)
		return go_over_event(w, kind_of(w->p));
	if (w->p[2] == SCAP_REC_INTRO || w->p[2] == SCAP_REC_FILE)
		return go_over_name(w);
	return 0;
}

/* Most records are passed over here, so that the state that this takes stays in registers. */
int scap__monitor_ring(struct scap_monitor *m, uint32_t part, uint64_t end_ns)
{
	struct walk w = { .m = m, .part = &m->parts[part], .part_index = part,
			  .last_ns = end_ns - 1, .signals = m->flags & SCAP_MONITOR_SIGNALS,
			  .follows = scap__monitor_follows(m) };
	const struct scap__monitor_kind *kinds = m->conditions->kinds;
	const uint8_t *p = w.part->p, *end = w.part->end;
	uint64_t order_ns = w.part->order_ns;
	unsigned unwanted = w.follows ? SCAP__KNOWN_NEVER : SCAP__KNOWN_UNWANTED;
	uint32_t n_events = 0;
	int rc, first = 0;

	w.part->pick = m->n_picks;
	for (; p < end; p += scap__rec_bytes(p)) {
		uint64_t ns = scap__le64(p + offsetof(struct scap_rec, time_ns));
		uint32_t kind = usual_kind_of(p);

		order_ns = ns > order_ns ? ns : order_ns;
		if (kind && kinds[kind].known == unwanted) {
			n_events++;
			continue;
		}
		w.p = p;
		w.order_ns = order_ns;
		w.n_events = n_events;
		rc = kind ? go_over_event(&w, kind) : go_over_other(&w);
		n_events += scap__rec_is_event(p[2]);
		first = first ? first : rc;
	}
	w.part->end_pick = m->n_picks;
	return first;
}
