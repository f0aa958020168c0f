/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for /dev/kscap: its rings are written with the module's own arithmetic. Time stands
 * still unless the test, or what it does in on_wait, moves it.
 */
#ifndef SUPPORT_DEVICE_H
#define SUPPORT_DEVICE_H

#include "live/device.h"

#include <scap/abi.h>

#include "support_rows.h"

#define FAKE_CPUS_MAX 256
#define FAKE_IOCTLS 16

struct fake_ring;

struct fake_device {
	/* Set before the device is opened. */
	bool both_lanes;		/* every fifth call goes to the decisive lane */
	uint32_t n_cpus, abi_version;
	uint64_t ring_cap_bytes, ring_used_bytes;
	int fail[FAKE_IOCTLS];		/* by ioctl number: -errno */
	int fail_map;			/* the nth mapping fails, from 1 */
	uint64_t lag_ns;		/* of the watermark */
	/* What a keyframe holds; none: -ENOTTY. chunk: records for one call, 0: all. */
	const struct rows *keyframe;
	unsigned keyframe_chunk, keyframe_fail_at;	/* fail_at: the nth call fails, from 1 */
	bool keyframe_endless;
	/* Called when the consumer waits. */
	void (*on_wait)(struct fake_device *f, int timeout_ms);
	void *ctx;
	/* What happened. */
	uint64_t now_ns, ring_bytes;
	uint64_t n_calls, n_stored, n_lost;	/* attempts */
	uint32_t n_keyframe_calls, n_keyframes;
	uint32_t n_waits, n_waits_asleep;	/* asleep: without looking at the device */
	int n_maps;			/* that exist */
	bool started, stopped, closed;
	struct scap_filter_spec spec;
	uint32_t tree[8];
	unsigned n_tree;
	struct fake_ring *rings;
	struct scap_ring_ctl *ctl;
	struct scap_ring_pos *pos;
};

void fake_init(struct fake_device *f, uint32_t n_cpus);
void fake_fini(struct fake_device *f);
struct scap__device fake_device(struct fake_device *f);
/*
 * An attempt to record a call of getppid with extra8 * 8 bytes of payload; lost if there is no
 * room. Its sequence number is also its return value.
 */
void fake_call(struct fake_device *f, uint32_t cpu, uint32_t extra8);
/* The same, but not written yet: until fake_release() nothing behind it can be seen. */
void fake_hold(struct fake_device *f, uint32_t cpu);
void fake_release(struct fake_device *f, uint32_t cpu);
/* The words of a CPU's ring, to spoil them; and its head. */
uint64_t *fake_ring(struct fake_device *f, uint32_t cpu);
void fake_set_head(struct fake_device *f, uint32_t cpu, uint64_t head);

#endif
