/* SPDX-License-Identifier: MIT */
/* struct scap_live: a consumer of the kernel module. */
#include "live/device.h"

#include "core/error.h"
#include "core/options.h"
#include "live/slice.h"

#include <errno.h>
#include <scap/abi.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RING_BYTES_DEFAULT (8ULL << 20)
#define RING_BYTES_MIN (64ULL << 10)
#define RING_BYTES_MAX (1ULL << 30)
#define CPUS_MAX 8192

struct live_ring {
	const uint8_t *data;	/* the ring twice in a row */
	uint32_t tail;		/* what we read so far: never read back from shared memory */
};

struct scap_live {
	struct scap__device dev;
	struct scap_live_info info;
	struct scap_error error;
	uint32_t size8[SCAP_LANES];	/* of a ring */
	size_t ctl_bytes, pos_bytes;
	const struct scap_ring_ctl *ctl;
	struct scap_ring_pos *pos;
	bool wants_trees;
	struct scap_filter_spec spec;
	struct live_ring *rings;
};

int scap__live_fail(struct scap_live *l, int code, const char *text)
{
	return scap__fail(&l->error, code, SCAP_NO_OFFSET, "%s", text);
}

static int fail_ioctl(struct scap_live *l, int code, const char *what)
{
	return scap__fail(&l->error, code, SCAP_NO_OFFSET, "%s failed: %s", what, strerror(-code));
}

/* ---- open --------------------------------------------------------------------------------- */

static uint32_t class_snaplen(const struct scap_live_options *opt, int k)
{
	uint32_t n = opt->snaplens[k] ? opt->snaplens[k] - 1 : opt->snaplen;

	return n == SCAP_LIVE_SNAPLEN_DEFAULT ? SCAP_SNAPLEN_DEFAULT : n;
}

static int check_options(const struct scap_live_options *in, struct scap_live_options *opt,
			 struct scap_error *err)
{
	int rc = scap__options_copy(opt, sizeof(*opt), in);

	if (rc < 0)
		return scap__fail(err, rc, SCAP_NO_OFFSET, "options that are not known here");
	if (!scap__options_has(in, snaplen))
		opt->snaplen = SCAP_LIVE_SNAPLEN_DEFAULT;
	if (opt->ring_bytes && (opt->ring_bytes < RING_BYTES_MIN ||
				opt->ring_bytes > RING_BYTES_MAX ||
				opt->ring_bytes & (opt->ring_bytes - 1)))
		return scap__fail(err, -EINVAL, SCAP_NO_OFFSET,
				  "ring size %llu: a power of two from 64K to 1G is needed",
				  (unsigned long long)opt->ring_bytes);
	for (int k = 0; k < SCAP_IO_CLASSES; k++) {
		uint32_t n = class_snaplen(opt, k);

		if (n > SCAP_SNAPLEN_MAX)
			return scap__fail(err, -EINVAL, SCAP_NO_OFFSET,
					  "snaplen %u: at most %u bytes per call can be kept", n,
					  SCAP_SNAPLEN_MAX);
	}
	if (opt->argv_max > SCAP_EXEC_ARGV_MAX || opt->env_max > SCAP_EXEC_ENV_MAX)
		return scap__fail(err, -EINVAL, SCAP_NO_OFFSET,
				  "at most %u bytes of arguments and %u of an environment can be "
				  "kept", SCAP_EXEC_ARGV_MAX, SCAP_EXEC_ENV_MAX);
	return 0;
}

static int ask_info(struct scap_live *l, struct scap_info *info, struct scap_error *err)
{
	int rc;

	*info = (struct scap_info){ .size = sizeof(*info) };
	rc = l->dev.ioctl(l->dev.ctx, SCAP_IOC_INFO, info);
	if (rc < 0)
		return scap__fail(err, rc, SCAP_NO_OFFSET,
				  "the device does not answer as kscap does: %s", strerror(-rc));
	if (info->abi_version != SCAP_ABI_VERSION)
		return scap__fail(err, SCAP_EABI, SCAP_NO_OFFSET,
				  "the loaded kscap module speaks ABI version %u, this scap "
				  "version %u: load the module that belongs to it",
				  info->abi_version, SCAP_ABI_VERSION);
	if (!info->n_cpus || info->n_cpus > CPUS_MAX)
		return scap__fail(err, SCAP_EDAMAGED, SCAP_NO_OFFSET,
				  "the kscap module tells of %u CPUs", info->n_cpus);
	return 0;
}

/* The few records that decide get an eighth of the many's room beside it. */
static uint64_t lane_bytes(uint64_t ring_bytes)
{
	return ring_bytes / 8 > RING_BYTES_MIN ? ring_bytes / 8 : RING_BYTES_MIN;
}

/*
 * Without a wish, the largest size up to the default that leaves half of what is free, decisive
 * lanes aside.
 */
static uint64_t default_ring_bytes(const struct scap_info *info)
{
	uint64_t free_bytes = info->ring_cap_bytes > info->ring_used_bytes ?
			      info->ring_cap_bytes - info->ring_used_bytes : 0;
	uint64_t bytes = RING_BYTES_DEFAULT;

	while (bytes > RING_BYTES_MIN && bytes * info->n_cpus > free_bytes / 2)
		bytes /= 2;
	return bytes;
}

static int fail_cap(const struct scap_info *info, uint64_t ring_bytes, struct scap_error *err)
{
	return scap__fail(err, SCAP_ELIMIT, SCAP_NO_OFFSET,
			  "%u rings of %llu KiB and as many of %llu KiB would exceed the cap of "
			  "%llu KiB for all consumers, of which %llu KiB are in use: take smaller "
			  "rings", info->n_cpus, (unsigned long long)ring_bytes >> 10,
			  (unsigned long long)lane_bytes(ring_bytes) >> 10,
			  (unsigned long long)info->ring_cap_bytes >> 10,
			  (unsigned long long)info->ring_used_bytes >> 10);
}

static int set_up(struct scap_live *l, const struct scap_live_options *opt, struct scap_error *err)
{
	struct scap_setup setup = { .size = sizeof(setup), .abi_version = SCAP_ABI_VERSION };
	struct scap_info info;
	int rc = ask_info(l, &info, err);

	if (rc < 0)
		return rc;
	setup.ring_bytes = opt->ring_bytes ? opt->ring_bytes : default_ring_bytes(&info);
	setup.lane_bytes = lane_bytes(setup.ring_bytes);
	for (int k = 0; k < SCAP_IO_CLASSES; k++)
		setup.snaplen[k] = class_snaplen(opt, k);
	setup.argv_max = opt->argv_max;
	setup.env_max = opt->env_max;
	rc = l->dev.ioctl(l->dev.ctx, SCAP_IOC_SETUP, &setup);
	if (rc == -EBUSY)
		return scap__fail(err, rc, SCAP_NO_OFFSET,
				  "kscap has its %u consumers already: end another recorder first",
				  info.max_consumers);
	if (rc == -ENOSPC)
		return fail_cap(&info, setup.ring_bytes, err);
	if (rc == -ENOMEM)
		return scap__fail(err, rc, SCAP_NO_OFFSET,
				  "the kernel has no memory for %u rings of %llu KiB (cap for all "
				  "consumers: %llu KiB): take smaller rings", info.n_cpus,
				  (unsigned long long)setup.ring_bytes >> 10,
				  (unsigned long long)info.ring_cap_bytes >> 10);
	if (rc < 0)
		return scap__fail(err, rc, SCAP_NO_OFFSET, "kscap refuses to set up rings: %s",
				  strerror(-rc));
	l->size8[SCAP_LANE_MAIN] = setup.ring_bytes / 8;
	l->size8[SCAP_LANE_DECISIVE] = setup.lane_bytes / 8;
	l->info = (struct scap_live_info){
		.n_cpus = info.n_cpus, .n_rings = info.n_cpus * SCAP_LANES,
		.snaplen = setup.snaplen[SCAP_IO_FILE], .ring_bytes = setup.ring_bytes,
		.lane_bytes = setup.lane_bytes,
		.clock_source = info.clock.source, .abi_version = info.abi_version,
	};
	return 0;
}

static size_t whole_pages(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n + page - 1) / page * page;
}

static size_t ring_map_bytes(const struct scap_live *l, uint32_t ring)
{
	return 2 * (size_t)l->size8[ring % SCAP_LANES] * 8;
}

static int map_rings(struct scap_live *l, struct scap_error *err)
{
	uint32_t n = l->info.n_rings;

	l->rings = calloc(n, sizeof(*l->rings));
	if (!l->rings)
		return scap__fail(err, -ENOMEM, SCAP_NO_OFFSET, "no memory");
	l->ctl_bytes = whole_pages(n * sizeof(struct scap_ring_ctl));
	l->pos_bytes = whole_pages(n * sizeof(struct scap_ring_pos));
	l->ctl = l->dev.map(l->dev.ctx, SCAP_MMAP_CTL, l->ctl_bytes, false);
	l->pos = l->dev.map(l->dev.ctx, SCAP_MMAP_POS, l->pos_bytes, true);
	if (!l->ctl || !l->pos)
		return scap__fail(err, -ENOMEM, SCAP_NO_OFFSET, "the rings cannot be mapped: %s",
				  strerror(errno));
	for (uint32_t i = 0; i < n; i++) {
		errno = 0;
		l->rings[i].data = l->dev.map(l->dev.ctx, SCAP_MMAP_DATA(i),
					      ring_map_bytes(l, i), false);
		/* CPU numbers may have holes. */
		if (!l->rings[i].data && errno != EINVAL)
			return scap__fail(err, -ENOMEM, SCAP_NO_OFFSET,
					  "a ring of CPU %u cannot be mapped: %s",
					  i / SCAP_LANES,
					  strerror(errno));
		l->rings[i].tail = __atomic_load_n(&l->pos[i].tail, __ATOMIC_RELAXED);
	}
	return 0;
}

int scap__live_open_device(const struct scap__device *dev, const struct scap_live_options *in,
			   struct scap_live **ret_l, struct scap_error *err)
{
	struct scap_live_options opt;
	struct scap_live *l;
	int rc;

	l = calloc(1, sizeof(*l));
	if (!l) {
		dev->close(dev->ctx);
		return scap__fail(err, -ENOMEM, SCAP_NO_OFFSET, "no memory");
	}
	l->dev = *dev;
	l->spec.size = sizeof(l->spec);
	rc = check_options(in, &opt, err);
	if (!rc)
		rc = set_up(l, &opt, err);
	if (!rc)
		rc = map_rings(l, err);
	if (rc < 0) {
		scap_live_close(l);
		return rc;
	}
	*ret_l = l;
	return 0;
}

void scap_live_close(struct scap_live *l)
{
	if (!l)
		return;
	for (uint32_t i = 0; l->rings && i < l->info.n_rings; i++)
		if (l->rings[i].data)
			l->dev.unmap(l->dev.ctx, (void *)l->rings[i].data, ring_map_bytes(l, i));
	if (l->ctl)
		l->dev.unmap(l->dev.ctx, (void *)l->ctl, l->ctl_bytes);
	if (l->pos)
		l->dev.unmap(l->dev.ctx, l->pos, l->pos_bytes);
	l->dev.close(l->dev.ctx);
	free(l->rings);
	free(l);
}

const struct scap_error *scap_live_error(const struct scap_live *l)
{
	return &l->error;
}

const struct scap_live_info *scap_live_info(const struct scap_live *l)
{
	return &l->info;
}

/* ---- what to record ----------------------------------------------------------------------- */

int scap_live_filter(struct scap_live *l, const struct scap_live_filter *f)
{
	int rc = scap__filter_spec(f, &l->spec, &l->error);

	if (rc < 0)
		return rc;
	if (l->wants_trees)
		l->spec.flags |= SCAP_FILTER_TREE;
	l->wants_trees = l->spec.flags & SCAP_FILTER_TREE;
	rc = l->dev.ioctl(l->dev.ctx, SCAP_IOC_FILTER, &l->spec);
	if (rc == -ENOENT)
		return scap__fail(&l->error, rc, SCAP_NO_OFFSET,
				  "the kernel does not know a cgroup that was there a moment ago");
	if (rc < 0)
		return fail_ioctl(l, rc, "setting the filter");
	for (uint32_t i = 0; i < f->n_tgids; i++) {
		rc = scap_live_tree_add(l, f->tgids[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int scap_live_tree_add(struct scap_live *l, uint32_t tgid)
{
	int rc = l->dev.ioctl(l->dev.ctx, SCAP_IOC_TREE_ADD, &tgid);

	if (rc == -ESRCH)
		return scap__fail(&l->error, rc, SCAP_NO_OFFSET, "there is no process %u", tgid);
	return rc < 0 ? fail_ioctl(l, rc, "adding a process to the filter") : 0;
}

int scap_live_snaplens(struct scap_live *l, const uint32_t bytes[5])
{
	struct scap_snaplens s = { .size = sizeof(s) };
	int rc;

	_Static_assert(SCAP_IO_CLASSES == 5, "bytes has a place for each");
	memcpy(s.snaplen, bytes, sizeof(s.snaplen));
	for (int k = 0; k < SCAP_IO_CLASSES; k++)
		if (bytes[k] > SCAP_SNAPLEN_MAX)
			return scap__fail(&l->error, -EINVAL, SCAP_NO_OFFSET,
					  "snaplen %u: at most %u bytes per call can be kept",
					  bytes[k], SCAP_SNAPLEN_MAX);
	rc = l->dev.ioctl(l->dev.ctx, SCAP_IOC_SNAPLEN, &s);
	return rc < 0 ? fail_ioctl(l, rc, "changing the snaplens") : 0;
}

/* ---- running ------------------------------------------------------------------------------ */

static int simple_ioctl(struct scap_live *l, unsigned long request, void *arg, const char *what)
{
	int rc = l->dev.ioctl(l->dev.ctx, request, arg);

	return rc < 0 ? fail_ioctl(l, rc, what) : 0;
}

int scap_live_start(struct scap_live *l)
{
	return simple_ioctl(l, SCAP_IOC_START, NULL, "starting the recording");
}

int scap_live_stop(struct scap_live *l)
{
	return simple_ioctl(l, SCAP_IOC_STOP, NULL, "stopping the recording");
}

int scap_live_flush(struct scap_live *l)
{
	return simple_ioctl(l, SCAP_IOC_FLUSH, NULL, "flushing the rings");
}

int scap_live_fd(const struct scap_live *l)
{
	return l->dev.fd;
}

int scap__live_wait(struct scap_live *l, bool device, int wake_fd, int timeout_ms)
{
	int rc = l->dev.wait(l->dev.ctx, device, wake_fd, timeout_ms);

	return rc < 0 ? fail_ioctl(l, rc, "waiting for records") : 0;
}

int scap__live_range(struct scap_live *l, uint32_t ring, struct scap_live_batch *ret_batch)
{
	struct live_ring *lr = &l->rings[ring];
	/* Pairs with the kernel's release: the records below the head are there. */
	uint64_t head = __atomic_load_n(&l->ctl[ring].head, __ATOMIC_ACQUIRE);
	uint32_t n8 = (uint32_t)head - lr->tail, size8 = l->size8[ring % SCAP_LANES];

	if (n8 > size8 || (n8 && !lr->data))
		return scap__fail(&l->error, SCAP_EDAMAGED, SCAP_NO_OFFSET,
				  "a ring of CPU %u is damaged: its head is %u units ahead",
				  ring / SCAP_LANES, n8);
	ret_batch->cpu = ring / SCAP_LANES;
	ret_batch->lane = ring % SCAP_LANES;
	ret_batch->next_seq = head >> 32;
	ret_batch->rows = n8 ? lr->data + (size_t)(lr->tail & (size8 - 1)) * 8 : NULL;
	ret_batch->bytes = (size_t)n8 * 8;
	return 0;
}

void scap__live_consume(struct scap_live *l, uint32_t ring, size_t bytes)
{
	struct live_ring *lr = &l->rings[ring];

	lr->tail += bytes / 8;
	/* Our reads of the records are done before the kernel may write there. */
	__atomic_store_n(&l->pos[ring].tail, lr->tail, __ATOMIC_RELEASE);
}

int scap_live_read(struct scap_live *l, uint32_t ring, struct scap_live_batch *ret_batch)
{
	struct scap__row_counts counts = { 0 };
	int rc;

	if (ring >= l->info.n_rings)
		return scap__live_fail(l, -EINVAL, "there is no such ring");
	rc = scap__live_range(l, ring, ret_batch);
	if (rc < 0)
		return rc;
	if (!ret_batch->bytes)
		return 1;
	rc = scap__rows_visit(ret_batch->rows, ret_batch->bytes, &counts);
	return rc < 0 ? scap__fail(&l->error, rc, SCAP_NO_OFFSET,
				   "a ring of CPU %u is damaged", ring / SCAP_LANES) : 0;
}

void scap_live_release(struct scap_live *l, const struct scap_live_batch *batch)
{
	scap__live_consume(l, batch->cpu * SCAP_LANES + batch->lane, batch->bytes);
}

int scap_live_watermark(struct scap_live *l, struct scap_live_watermark *ret_w)
{
	struct scap_watermark w = { 0 };
	int rc = simple_ioctl(l, SCAP_IOC_WATERMARK, &w, "asking for the watermark");

	*ret_w = (struct scap_live_watermark){ .now_ns = w.now_ns, .safe_ns = w.safe_ns };
	return rc;
}

int scap_live_clock(struct scap_live *l, struct scap_live_clock *ret_c)
{
	struct scap_clock c = { 0 };
	int rc = simple_ioctl(l, SCAP_IOC_CLOCK, &c, "reading the clock");

	*ret_c = (struct scap_live_clock){
		.raw_ns = c.raw_ns, .real_ns = c.real_ns, .boot_ns = c.boot_ns,
	};
	return rc;
}

int scap_live_stats(struct scap_live *l, struct scap_live_stats *ret_s)
{
	struct scap_stats s = { .size = sizeof(s) };
	int rc = simple_ioctl(l, SCAP_IOC_STATS, &s, "reading the statistics");

	*ret_s = (struct scap_live_stats){
		.n_stash_full = s.n_stash_full, .n_clock_back = s.n_clock_back,
		.n_reserve_retry = s.n_reserve_retry, .n_nested_lost = s.n_nested_lost,
		.n_stash_slots = s.n_stash_slots,
	};
	return rc;
}

int scap_live_keyframe(struct scap_live *l, struct scap_live_keyframe *k, void *buf, size_t room,
		       size_t *ret_bytes)
{
	struct scap_keyframe kf = {
		.size = sizeof(kf), .buf = (uintptr_t)buf, .room_bytes = room,
		.cursor = { k->cursor[0], k->cursor[1] },
	};
	int rc = simple_ioctl(l, SCAP_IOC_KEYFRAME, &kf, "taking a keyframe");

	if (rc < 0)
		return rc;
	if (kf.filled_bytes > room)
		return scap__live_fail(l, SCAP_EDAMAGED, "a keyframe is larger than its room");
	memcpy(k->cursor, kf.cursor, sizeof(k->cursor));
	*ret_bytes = kf.filled_bytes;
	return kf.done != 0;
}
