/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE	/* memfd_create */
#include "support_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint32_t u32;
typedef uint64_t u64;

/* Which device's time it is: one thread, one device at a time. */
static u64 clock_now;

static u64 plain_cmpxchg(u64 *p, u64 old, u64 new)
{
	u64 found = *p;

	if (found == old)
		*p = new;
	return found;
}

#define RING_CLOCK() clock_now
#define RING_CMPXCHG(p, old, new) plain_cmpxchg(p, old, new)
#define RING_READ(p) (*(p))
#define RING_LOAD_ACQUIRE(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define RING_STORE_RELEASE(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define RING_BARRIER() __asm__ volatile("" ::: "memory")

#include "../../driver/ring_core.h"

struct fake_ring {
	struct ring_core core;
	void *data;		/* twice in a row */
	size_t bytes;
	uint32_t n_pending, first_seq;	/* lost, not yet told */
	uint64_t first_ns, last_ns;
	bool held;
	struct ring_slot held_slot;
	uint64_t held_ns;
};

void fake_init(struct fake_device *f, uint32_t n_cpus)
{
	memset(f, 0, sizeof(*f));
	f->n_cpus = n_cpus;
	f->abi_version = SCAP_ABI_VERSION;
	f->ring_cap_bytes = 1ULL << 40;
	f->now_ns = 5 * SCAP_EPOCH_NS + 12345;
}

static void free_ring(struct fake_ring *c)
{
	if (c->data)
		munmap(c->data, 2 * c->bytes);
	c->data = NULL;
}

void fake_fini(struct fake_device *f)
{
	for (uint32_t i = 0; f->rings && i < f->n_cpus * SCAP_LANES; i++)
		free_ring(&f->rings[i]);
	free(f->rings);
	free(f->ctl);
	free(f->pos);
}

static int init_ring(struct fake_device *f, uint32_t ring, size_t bytes)
{
	struct fake_ring *c = &f->rings[ring];
	int fd = memfd_create("ring", MFD_CLOEXEC);
	char *p = MAP_FAILED;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) == 0)
		p = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		mmap(p + bytes, bytes, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return -ENOMEM;
	c->data = p;
	c->bytes = bytes;
	c->core.data = p;
	c->core.size8 = (u32)(bytes / 8);
	c->core.head = (u64 *)&f->ctl[ring].head;
	c->core.reader = &f->pos[ring].tail;
	return 0;
}

static int set_up(struct fake_device *f, const struct scap_setup *setup)
{
	uint32_t n = f->n_cpus * SCAP_LANES;

	if ((setup->ring_bytes + setup->lane_bytes) * f->n_cpus + f->ring_used_bytes >
	    f->ring_cap_bytes)
		return -ENOSPC;
	f->ring_bytes = setup->ring_bytes;
	f->rings = calloc(n, sizeof(*f->rings));
	f->ctl = calloc(n, sizeof(*f->ctl));
	f->pos = calloc(n, sizeof(*f->pos));
	for (uint32_t i = 0; i < n; i++)
		if (init_ring(f, i, i % SCAP_LANES ? setup->lane_bytes : setup->ring_bytes) < 0)
			return -ENOMEM;
	return 0;
}

/* ---- writing ------------------------------------------------------------------------------ */

static void lose(struct fake_device *f, struct fake_ring *c, const struct ring_slot *slot)
{
	if (!c->n_pending++) {
		c->first_seq = slot->seq;
		c->first_ns = slot->time_ns;
	}
	c->last_ns = slot->time_ns;
	f->n_lost++;
}

static size_t gap_bytes(const struct fake_ring *c)
{
	return c->n_pending ? sizeof(struct scap_rec_gap) + sizeof(struct scap_tally) : 0;
}

/* Its bytes; 0: none is due. */
static size_t put_gap(struct fake_ring *c, void *p, u32 seq, u64 ns)
{
	struct scap_rec_gap *gap = p;
	struct scap_tally *tally = (struct scap_tally *)(gap + 1);
	size_t n = gap_bytes(c);

	if (!n)
		return 0;
	*gap = (struct scap_rec_gap){
		.h = { .len8 = (uint16_t)(n / 8), .type = SCAP_REC_GAP, .seq = seq, .time_ns = ns },
		.first_ns = c->first_ns, .last_ns = c->last_ns, .first_seq = c->first_seq,
		.n_lost = c->n_pending, .n_tally = 1,
	};
	*tally = (struct scap_tally){ SCAP_TALLY_KEY(SCAP_REC_CALL, 0, 110), c->n_pending };
	c->n_pending = 0;
	return n;
}

static void put_call(void *p, u32 seq, u64 ns, u32 extra8)
{
	struct scap_rec_call *call = p;

	*call = (struct scap_rec_call){
		.h = { .len8 = (uint16_t)(sizeof(*call) / 8), .type = SCAP_REC_CALL, .seq = seq,
		       .time_ns = ns },
		.tid = 100, .latency_ns = 5, .ret = (int32_t)seq, .nr = 110,
	};
	if (extra8 > 1) {
		struct scap_blob *blob = (struct scap_blob *)(call + 1);

		call->h.len8 += extra8;
		blob->meta = SCAP_BLOB_META(1, SCAP_STATE_WHOLE, (extra8 - 1) * 8);
		blob->orig_bytes = (extra8 - 1) * 8;
		memset(blob + 1, 'x', (extra8 - 1) * 8);
	}
}

/* The main lane's, or where both are used now and then the decisive lane's. */
static struct fake_ring *ring_of(struct fake_device *f, uint32_t cpu)
{
	return &f->rings[cpu * SCAP_LANES + (f->both_lanes && f->n_calls % 5 == 0)];
}

void fake_call(struct fake_device *f, uint32_t cpu, uint32_t extra8)
{
	struct fake_ring *c = ring_of(f, cpu);
	u32 n8 = sizeof(struct scap_rec_call) / 8 + (extra8 > 1 ? extra8 : 0);
	bool gap = c->n_pending;
	struct ring_slot slot;
	size_t n;

	if (!f->started || f->stopped)
		return;
	clock_now = f->now_ns;
	f->n_calls++;
	if (ring_reserve(&c->core, n8 + (u32)(gap_bytes(c) / 8), gap ? 2 : 1,
			 clock_now >> SCAP_EPOCH_SHIFT, SCAP_EPOCH_SHIFT, &slot) == RING_OK) {
		n = put_gap(c, slot.rec, slot.seq, slot.time_ns);
		put_call((char *)slot.rec + n, slot.seq + gap, slot.time_ns, extra8);
		f->n_stored++;
	} else {
		lose(f, c, &slot);
	}
	ring_leave(&c->core);
}

void fake_hold(struct fake_device *f, uint32_t cpu)
{
	struct fake_ring *c = &f->rings[cpu * SCAP_LANES];

	if (c->held || c->n_pending)
		return;
	clock_now = f->now_ns;
	f->n_calls++;
	if (ring_reserve(&c->core, sizeof(struct scap_rec_call) / 8, 1,
			 clock_now >> SCAP_EPOCH_SHIFT, SCAP_EPOCH_SHIFT,
			 &c->held_slot) != RING_OK) {
		lose(f, c, &c->held_slot);
		ring_leave(&c->core);
		return;
	}
	f->n_stored++;
	c->held = true;
	c->held_ns = c->held_slot.time_ns;
}

void fake_release(struct fake_device *f, uint32_t cpu)
{
	struct fake_ring *c = &f->rings[cpu * SCAP_LANES];

	if (!c->held)
		return;
	put_call(c->held_slot.rec, c->held_slot.seq, c->held_slot.time_ns, 0);
	c->held = false;
	ring_leave(&c->core);
}

uint64_t *fake_ring(struct fake_device *f, uint32_t cpu)
{
	return f->rings[cpu * SCAP_LANES].data;
}

void fake_set_head(struct fake_device *f, uint32_t cpu, uint64_t head)
{
	f->ctl[cpu * SCAP_LANES].head = head;
}

/* ---- the device --------------------------------------------------------------------------- */

static void flush(struct fake_device *f)
{
	clock_now = f->now_ns;
	for (uint32_t i = 0; i < f->n_cpus * SCAP_LANES; i++) {
		struct fake_ring *c = &f->rings[i];
		struct ring_slot slot;

		if (!c->n_pending)
			continue;
		/* Looked at before, for a failed attempt would be one more. */
		if (c->core.size8 - ((u32)c->core.word - *c->core.reader) >= gap_bytes(c) / 8 &&
		    ring_reserve(&c->core, (u32)(gap_bytes(c) / 8), 1,
				 clock_now >> SCAP_EPOCH_SHIFT, SCAP_EPOCH_SHIFT,
				 &slot) == RING_OK) {
			put_gap(c, slot.rec, slot.seq, slot.time_ns);
			ring_leave(&c->core);
		}
	}
}

/* Nothing before it can still appear: a held record counts from its time on. */
static uint64_t safe_ns(const struct fake_device *f)
{
	uint64_t safe = f->now_ns > f->lag_ns ? f->now_ns - f->lag_ns : 0;

	if (f->stopped)
		return f->now_ns;
	for (uint32_t i = 0; i < f->n_cpus * SCAP_LANES; i++)
		if (f->rings[i].held && f->rings[i].held_ns < safe)
			safe = f->rings[i].held_ns;
	return safe;
}

static void get_info(struct fake_device *f, struct scap_info *info)
{
	info->abi_version = f->abi_version;
	info->n_cpus = f->n_cpus;
	info->max_consumers = 4;
	info->ring_cap_bytes = f->ring_cap_bytes;
	info->ring_used_bytes = f->ring_used_bytes;
}

static struct scap_clock get_clock(const struct fake_device *f)
{
	return (struct scap_clock){
		.raw_ns = f->now_ns, .real_ns = f->now_ns + 1700000000000000000ULL,
		.boot_ns = f->now_ns + 1000,
	};
}

static int stop(struct fake_device *f)
{
	for (uint32_t i = 0; i < f->n_cpus; i++)
		fake_release(f, i);
	f->stopped = true;
	return 0;
}

/* The cursor: which record, 1 more than that. */
static int keyframe(struct fake_device *f, struct scap_keyframe *kf)
{
	const uint8_t *p = f->keyframe ? f->keyframe->p : NULL;
	size_t left = p ? f->keyframe->n : 0, n = 0;
	unsigned n_records = 0;

	if (!p)
		return -ENOTTY;
	if (++f->n_keyframe_calls == f->keyframe_fail_at)
		return -ENOMEM;
	f->n_keyframes += !kf->cursor[0];
	p += kf->cursor[1];
	left -= kf->cursor[1];
	while (left > n && (!f->keyframe_chunk || n_records++ < f->keyframe_chunk))
		n += (size_t)((const struct scap_rec *)(p + n))->len8 * 8;
	memcpy((void *)(uintptr_t)kf->buf, p, n);
	kf->filled_bytes = n;
	kf->cursor[0] = 1;
	kf->cursor[1] += n;
	kf->done = n == left && !f->keyframe_endless;
	return 0;
}

static int fake_ioctl(void *ctx, unsigned long request, void *arg)
{
	struct fake_device *f = ctx;

	if (f->fail[request & 0xf])
		return f->fail[request & 0xf];
	f->now_ns++;
	switch (request) {
	case SCAP_IOC_INFO:
		get_info(f, arg);
		return 0;
	case SCAP_IOC_SETUP:
		return set_up(f, arg);
	case SCAP_IOC_FILTER:
		f->spec = *(struct scap_filter_spec *)arg;
		return 0;
	case SCAP_IOC_TREE_ADD:
		f->tree[f->n_tree++ % 8] = *(uint32_t *)arg;
		return 0;
	case SCAP_IOC_START:
		f->started = true;
		return 0;
	case SCAP_IOC_STOP:
		return stop(f);
	case SCAP_IOC_FLUSH:
		flush(f);
		return 0;
	case SCAP_IOC_WATERMARK:
		*(struct scap_watermark *)arg = (struct scap_watermark){ f->now_ns, safe_ns(f) };
		return 0;
	case SCAP_IOC_CLOCK:
		*(struct scap_clock *)arg = get_clock(f);
		return 0;
	case SCAP_IOC_STATS:
		return 0;
	case SCAP_IOC_KEYFRAME:
		return keyframe(f, arg);
	}
	return -ENOTTY;
}

static void *fake_map(void *ctx, uint64_t offset, size_t bytes, bool writable)
{
	struct fake_device *f = ctx;

	(void)bytes;
	errno = ENOMEM;
	if (f->fail_map && --f->fail_map == 0)
		return NULL;
	f->n_maps++;
	if (offset == SCAP_MMAP_CTL)
		return f->ctl;
	if (offset == SCAP_MMAP_POS)
		return writable ? f->pos : NULL;
	return f->rings[(offset - SCAP_MMAP_DATA(0)) >> 41].data;
}

static void fake_unmap(void *ctx, void *p, size_t bytes)
{
	struct fake_device *f = ctx;

	(void)p;
	(void)bytes;
	f->n_maps--;
}

static int fake_wait(void *ctx, bool device, int wake_fd, int timeout_ms)
{
	struct fake_device *f = ctx;

	(void)wake_fd;
	f->n_waits++;
	f->n_waits_asleep += !device;
	if (f->on_wait)
		f->on_wait(f, timeout_ms);
	else
		f->now_ns += (uint64_t)timeout_ms * 1000000;
	return 0;
}

static void fake_close(void *ctx)
{
	((struct fake_device *)ctx)->closed = true;
}

struct scap__device fake_device(struct fake_device *f)
{
	return (struct scap__device){
		.ctx = f, .fd = -1, .ioctl = fake_ioctl, .map = fake_map, .unmap = fake_unmap,
		.wait = fake_wait, .close = fake_close,
	};
}
