/* SPDX-License-Identifier: MIT */
/* The ring's file: how it comes to be, and what is told of it. */
#include "ring/ring.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crc32c.h"
#include "core/error.h"

static bool header_is_sound(const struct scap__ring_header *h)
{
	return !memcmp(h->magic, SCAP__RING_MAGIC, sizeof(h->magic)) &&
	       le32toh(h->crc) == scap__crc32c(0, h, offsetof(struct scap__ring_header, crc)) &&
	       le16toh(h->version) == SCAP__RING_VERSION;
}

/* An empty file is what a recorder leaves that is killed when it has just made it. */
static enum scap_ring_state state_of(int fd)
{
	struct scap__ring_state_page page;
	struct scap__ring_header h;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return SCAP_RING_FOREIGN;
	if (st.st_size && (pread(fd, &h, sizeof(h), 0) != sizeof(h) || !header_is_sound(&h)))
		return SCAP_RING_FOREIGN;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return SCAP_RING_IN_USE;
	flock(fd, LOCK_UN);
	if (!st.st_size)
		return SCAP_RING_NONE;
	if (pread(fd, &page, sizeof(page), SCAP__RING_STATE_OFFSET) != sizeof(page))
		return SCAP_RING_ABANDONED;
	return le64toh(page.closed) == 1 ? SCAP_RING_CLOSED : SCAP_RING_ABANDONED;
}

static int open_old(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
}

enum scap_ring_state scap_ring_state(const char *path)
{
	int fd = open_old(path);
	enum scap_ring_state state;

	if (fd < 0)
		return errno == ENOENT ? SCAP_RING_NONE : SCAP_RING_FOREIGN;
	state = state_of(fd);
	close(fd);
	return state;
}

/* ---- a new one ------------------------------------------------------------------------------ */

static int fail(struct scap_error *err, const char *path, int code)
{
	return scap__fail(err, code, SCAP_NO_OFFSET, "cannot make the ring %.160s: %s", path,
			  strerror(-code));
}

static int in_use(struct scap_error *err, const char *path)
{
	return scap__fail(err, -EBUSY, SCAP_NO_OFFSET,
			  "the ring %.160s is in use by another recorder", path);
}

/* Ours, and still the one of that name: two recorders that begin at a time see each other. */
static bool lock(int fd, const char *path)
{
	struct stat ours, there;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &ours) == 0 &&
	       lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

/* Removes an old ring while its lock is held. */
static int remove_old(const char *path, int fd, struct scap_error *err)
{
	if (!lock(fd, path))
		return in_use(err, path);
	return unlink(path) < 0 ? fail(err, path, -errno) : 0;
}

/* Whatever nobody uses goes; what is no ring stays. */
static int make_room(const char *path, struct scap_error *err)
{
	int fd = open_old(path), rc;

	if (fd < 0 && errno == ENOENT)
		return 0;
	switch (fd < 0 ? SCAP_RING_FOREIGN : state_of(fd)) {
	case SCAP_RING_IN_USE:
		rc = in_use(err, path);
		break;
	case SCAP_RING_NONE:
	case SCAP_RING_CLOSED:
	case SCAP_RING_ABANDONED:
		rc = remove_old(path, fd, err);
		break;
	default:
		rc = scap__fail(err, -EEXIST, SCAP_NO_OFFSET,
				"%.160s exists and is no ring of this version; remove it, "
				"or choose another name", path);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static int reserve(struct scap_ring *r, uint64_t bytes)
{
	int rc = posix_fallocate(r->fd, 0, (off_t)bytes);

	if (rc)
		return -rc;
	r->map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return -errno;
	}
	r->map_bytes = bytes;
	return 0;
}

/* Before all that takes its time: were we killed in it, what is there would be no ring. */
static int put_header(struct scap_ring *r)
{
	struct scap__ring_header h = {
		.header_bytes = htole16(sizeof(h)), .version = htole16(SCAP__RING_VERSION),
		.area_bytes = htole64(r->area_bytes),
	};

	if (getrandom(&r->id, sizeof(r->id), GRND_NONBLOCK) != sizeof(r->id))
		r->id = (uint64_t)getpid() << 32 ^ (uintptr_t)r;
	memcpy(h.magic, SCAP__RING_MAGIC, sizeof(h.magic));
	h.ring_id = htole64(r->id);
	h.crc = htole32(scap__crc32c(0, &h, offsetof(struct scap__ring_header, crc)));
	return pwrite(r->fd, &h, sizeof(h), 0) == sizeof(h) ? 0 : -ENOSPC;
}

/* What is made of the new file. */
static int make(struct scap_ring *r, uint64_t bytes)
{
	int rc;

	r->area_bytes = (bytes - SCAP__RING_AREA_OFFSET) & ~4095ull;
	rc = put_header(r);
	return rc ? rc : reserve(r, SCAP__RING_AREA_OFFSET + r->area_bytes);
}

int scap_ring_create(const char *path, uint64_t bytes, struct scap_ring **ret_r,
		     struct scap_error *err)
{
	struct scap_ring *r;
	int rc;

	if (bytes < SCAP_RING_MIN_BYTES || bytes > 1ull << 44)
		return scap__fail(err, -EINVAL, SCAP_NO_OFFSET,
				  "a ring has at least %llu MiB", SCAP_RING_MIN_BYTES >> 20);
	rc = make_room(path, err);
	if (rc)
		return rc;
	r = calloc(1, sizeof(*r));
	if (!r)
		return fail(err, path, -ENOMEM);
	pthread_mutex_init(&r->lock, NULL);
	r->path = strdup(path);
	r->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	rc = !r->path ? -ENOMEM : r->fd < 0 ? -errno : 0;
	if (r->fd >= 0 && !lock(r->fd, path)) {
		scap_ring_close(r);
		return in_use(err, path);
	}
	if (!rc)
		rc = make(r, bytes);
	if (rc) {
		if (r->fd >= 0)
			unlink(path);
		scap_ring_close(r);
		return fail(err, path, rc);
	}
	*ret_r = r;
	return 0;
}

/* ---- its writer ----------------------------------------------------------------------------- */

int scap_ring_writer(struct scap_ring *r, const struct scap_writer_options *opt,
		     struct scap_writer **ret_w, struct scap_error *err)
{
	struct scap_writer_options o;
	struct scap_sink sink = scap__ring_sink(r);
	struct scap_writer *w;
	int rc;

	if (r->writer)
		return scap__fail(err, -EBUSY, SCAP_NO_OFFSET, "the ring has a writer already");
	rc = scap__writer_options(&o, opt, err);
	if (rc)
		return rc;
	o.flags |= SCAP_WRITER_GROUPS;
	rc = scap__writer_open(&sink, -1, &o, 0, NULL, &w, err);
	if (rc)
		return rc;
	w->sealing = false;
	w->index.none = true;
	w->journal_optional = true;
	o.flags |= SCAP_WRITER_FORCE;
	rc = scap__journal_open(w, r->path, &o, err);
	if (rc) {
		scap_writer_close(w, 0, NULL, 0, NULL);
		return rc;
	}
	*ret_w = r->writer = w;
	return 0;
}

/* ---- what is told --------------------------------------------------------------------------- */

void scap_ring_complete(struct scap_ring *r, uint64_t raw_ns, const struct scap_ring_end *rings,
			uint32_t n_rings)
{
	struct scap__ring_done *d;
	struct scap_ring_end *ends;

	pthread_mutex_lock(&r->lock);
	d = &r->done[r->n_done++ % SCAP__RING_DONE];
	ends = d->ends;
	if (n_rings > d->cap) {
		ends = realloc(ends, n_rings * sizeof(*ends));
		if (ends) {
			d->ends = ends;
			d->cap = n_rings;
		}
	}
	d->ns = raw_ns;
	d->head = atomic_load(&r->head);
	/* Without memory for them a cut takes the numbers of what it holds. */
	d->n_ends = ends ? n_rings : 0;
	if (ends)
		memcpy(ends, rings, n_rings * sizeof(*ends));
	pthread_mutex_unlock(&r->lock);
	scap_ring_ends(r, raw_ns, rings, n_rings);
	atomic_store(&r->journal_errors, r->writer ? r->writer->journal_errors : 0);
}

void scap_ring_info(struct scap_ring *r, struct scap_ring_info *ret)
{
	uint64_t seen = atomic_load(&r->n_seen), gone = atomic_load(&r->tail_events);
	/* The tail first: it never passes a head that is read later. */
	uint64_t tail = atomic_load(&r->tail), used = atomic_load(&r->head) - tail;

	*ret = (struct scap_ring_info){
		.bytes = r->area_bytes,
		.used_bytes = used < r->area_bytes ? used : r->area_bytes,
		.n_sections = atomic_load(&r->n_sections), .n_evicted = atomic_load(&r->n_evicted),
		.n_dropped = atomic_load(&r->n_dropped),
		.start_raw_ns = atomic_load(&r->start_ns), .end_raw_ns = atomic_load(&r->end_ns),
		.n_seen = seen, .n_events = seen > gone ? seen - gone : 0,
		.journal_errors = atomic_load(&r->journal_errors),
	};
}

void scap_ring_close(struct scap_ring *r)
{
	if (!r)
		return;
	if (r->map)
		munmap(r->map, r->map_bytes);
	if (r->fd >= 0)
		close(r->fd);
	pthread_mutex_destroy(&r->lock);
	for (unsigned i = 0; i < SCAP__RING_DONE; i++)
		free(r->done[i].ends);
	free(r->path);
	free(r);
}
