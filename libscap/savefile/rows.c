/* SPDX-License-Identifier: MIT */
#include "savefile/rows.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "format/layout.h"

#define BLOB_MAX_BYTES	0xffffu		/* all of a record's must fit into it */
#define ROWS_KEPT_BYTES	(8u << 20)

static __attribute__((noinline)) int grow(struct scap__sf_bytes *b, struct scap__budget *budget,
					  size_t n)
{
	size_t cap = b->n + n + (b->n + n) / 2 + 256;
	void *p = b->p;
	int rc = scap__realloc(budget, &p, b->cap, cap);

	if (rc)
		return rc;
	b->p = p;
	b->cap = cap;
	return 0;
}

int scap__sf_bytes_reserve(struct scap__sf_bytes *b, struct scap__budget *budget, size_t n)
{
	return n <= b->cap - b->n ? 0 : grow(b, budget, n);
}

void scap__sf_bytes_put(struct scap__sf_bytes *b, const void *p, size_t n)
{
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

void scap__sf_bytes_fini(struct scap__sf_bytes *b, struct scap__budget *budget)
{
	scap__free(budget, b->p, b->cap);
	*b = (struct scap__sf_bytes){ 0 };
}

void scap__sf_rows_init(struct scap__sf_rows *r, struct scap__budget *budget)
{
	*r = (struct scap__sf_rows){ .budget = budget };
}

void scap__sf_rows_fini(struct scap__sf_rows *r)
{
	for (uint32_t i = 0; i < r->n_cpus; i++)
		scap__sf_bytes_fini(&r->cpus[i].bytes, r->budget);
	scap__free(r->budget, r->cpus, r->n_cpus * sizeof(*r->cpus));
	r->cpus = NULL;
	r->n_cpus = 0;
}

void scap__sf_rows_clear(struct scap__sf_rows *r)
{
	size_t kept = 0;

	for (uint32_t i = 0; i < r->n_cpus; i++) {
		kept += r->cpus[i].bytes.cap;
		if (kept > ROWS_KEPT_BYTES)
			scap__sf_bytes_fini(&r->cpus[i].bytes, r->budget);
		r->cpus[i].bytes.n = 0;
	}
	r->bytes = 0;
	r->open = false;
}

static int reach_cpu(struct scap__sf_rows *r, uint32_t cpu)
{
	uint32_t n = cpu + 1 > r->n_cpus * 2 ? cpu + 1 : r->n_cpus * 2;
	struct scap__sf_row *cpus;

	if (cpu < r->n_cpus)
		return 0;
	if (n > SCAP__CPUS_MAX)
		n = SCAP__CPUS_MAX;
	cpus = scap__new(r->budget, n * sizeof(*cpus));
	if (!cpus)
		return -ENOMEM;
	if (r->n_cpus)
		memcpy(cpus, r->cpus, r->n_cpus * sizeof(*cpus));
	scap__free(r->budget, r->cpus, r->n_cpus * sizeof(*cpus));
	r->cpus = cpus;
	r->n_cpus = n;
	return 0;
}

/* ---- a record ------------------------------------------------------------------------------ */

void scap__sf_row_put(struct scap__sf_rows *r, const void *p, size_t n)
{
	if (!r->rc)
		r->rc = scap__sf_bytes_reserve(&r->row->bytes, r->budget, n + 8);
	if (!r->rc)
		scap__sf_bytes_put(&r->row->bytes, p, n);
}

void scap__sf_row_u32(struct scap__sf_rows *r, uint32_t v)
{
	v = htole32(v);
	scap__sf_row_put(r, &v, sizeof(v));
}

void scap__sf_row_u64(struct scap__sf_rows *r, uint64_t v)
{
	v = htole64(v);
	scap__sf_row_put(r, &v, sizeof(v));
}

void scap__sf_row_begin(struct scap__sf_rows *r, uint32_t cpu, unsigned type, unsigned flags,
			uint64_t ns)
{
	struct scap_rec h = { .type = (uint8_t)type, .flags = (uint8_t)flags };

	if (!r->rc)
		r->rc = reach_cpu(r, cpu);
	if (r->rc)
		return;
	r->row = &r->cpus[cpu];
	r->at = r->row->bytes.n;
	h.seq = htole32(r->row->seq);
	h.time_ns = htole64(ns);
	scap__sf_row_put(r, &h, sizeof(h));
}

static void pad(struct scap__sf_rows *r)
{
	static const uint8_t zeros[8];

	if (!r->rc)
		scap__sf_row_put(r, zeros, -(r->row->bytes.n - r->at) & 7);
}

void scap__sf_row_blob(struct scap__sf_rows *r, unsigned slot, unsigned state, const void *p,
		       size_t n, uint32_t orig)
{
	if (n > BLOB_MAX_BYTES) {
		n = BLOB_MAX_BYTES;
		state = SCAP_STATE_TRUNCATED;
	}
	if (orig < n)
		orig = (uint32_t)n;
	scap__sf_row_u32(r, SCAP_BLOB_META(slot, state, (uint32_t)n));
	scap__sf_row_u32(r, orig);
	scap__sf_row_put(r, p, n);
	pad(r);
}

void scap__sf_row_end(struct scap__sf_rows *r)
{
	uint16_t len8;

	pad(r);
	if (r->rc)
		return;
	len8 = htole16((uint16_t)((r->row->bytes.n - r->at) / 8));
	memcpy(r->row->bytes.p + r->at, &len8, sizeof(len8));
	r->bytes += r->row->bytes.n - r->at;
	r->row->seq++;
}

/* ---- names ---------------------------------------------------------------------------------- */

void scap__sf_put_thread(struct scap__sf_rows *r, const struct scap__sf_thread *t)
{
	static const uint8_t no_namespaces[8 * 4];

	scap__sf_row_u32(r, (uint32_t)t->tid);
	scap__sf_row_u32(r, t->pid);
	scap__sf_row_u32(r, t->ppid);
	scap__sf_row_u32(r, t->vtid);
	scap__sf_row_u32(r, t->vpid);
	scap__sf_row_u32(r, t->uid);
	scap__sf_row_u32(r, t->uid);
	scap__sf_row_u32(r, t->gid);
	scap__sf_row_u32(r, t->gid);
	scap__sf_row_u32(r, 0);		/* paths are as it sees them, wherever its root is */
	scap__sf_row_u64(r, 0);		/* neither its start */
	scap__sf_row_u64(r, 0);		/* nor its cgroup's number is known */
	scap__sf_row_put(r, t->comm, sizeof(t->comm));
	scap__sf_row_put(r, no_namespaces, sizeof(no_namespaces));
}

void scap__sf_introduce(struct scap__sf_rows *r, uint32_t cpu, uint64_t ns, uint64_t epoch,
			struct scap__sf_thread *t)
{
	if (!t || !t->known || !scap__sf_tell(&t->told, epoch, cpu))
		return;
	scap__sf_row_begin(r, cpu, SCAP_REC_INTRO, 0, ns);
	scap__sf_put_thread(r, t);
	scap__sf_row_end(r);
}

static void put_sock(struct scap__sf_rows *r, const struct scap__sf_file *f)
{
	struct scap_sock s = f->sock;
	uint32_t n = (uint32_t)sizeof(s) + f->text.n;

	s.family = htole16(s.family);
	s.type = htole16(s.type);
	s.protocol = htole16(s.protocol);
	s.local_port = htole16(s.local_port);
	s.remote_port = htole16(s.remote_port);
	s.local_len = htole16(s.local_len);
	s.remote_len = htole16(s.remote_len);
	scap__sf_row_u32(r, SCAP_BLOB_META(SCAP_SLOT_SOCK, SCAP_STATE_WHOLE, n));
	scap__sf_row_u32(r, n);
	scap__sf_row_put(r, &s, sizeof(s));
	scap__sf_row_put(r, f->text.p, f->text.n);
}

void scap__sf_put_file(struct scap__sf_rows *r, const struct scap__sf_file *f)
{
	const uint16_t kind[2] = { htole16(f->kind), 0 };

	scap__sf_row_u32(r, f->cookie);
	scap__sf_row_u32(r, f->mode);
	scap__sf_row_u32(r, f->dev);
	scap__sf_row_put(r, kind, sizeof(kind));
	scap__sf_row_u64(r, f->ino);
	scap__sf_row_u64(r, 0);		/* mount and its namespace are not known */
	if (f->sock.family)
		put_sock(r, f);
	else if (f->text.n)
		scap__sf_row_blob(r, SCAP_SLOT_PATH, SCAP_STATE_WHOLE, f->text.p, f->text.n,
				  f->text.n);
}

void scap__sf_introduce_file(struct scap__sf_rows *r, uint32_t cpu, uint64_t ns, uint64_t epoch,
			     struct scap__sf_file *f)
{
	if (!f || !scap__sf_tell(&f->told, epoch, cpu))
		return;
	scap__sf_row_begin(r, cpu, SCAP_REC_FILE, 0, ns);
	scap__sf_put_file(r, f);
	scap__sf_row_end(r);
}
