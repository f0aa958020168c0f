/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as rows of slices: the first says how they are cut into parts. Nothing may fall over,
 * and what fires has a number that is not above that of all events.
 */
#include <scap/abi.h>
#include <scap/monitor.h>
#include <stdlib.h>

#define PARTS 4

static uint64_t last_num;

static void fired(void *ctx, uint32_t condition, const struct scap_event *ev)
{
	uint64_t num = scap_event_num(ev);

	(void)ctx;
	(void)condition;
	if (!num || num < last_num)
		abort();
	last_num = num;
}

static struct scap_monitor *make(void)
{
	static const struct scap_condition c[] = {
		{ .filter = "proc.name=httpd or evt.args contains z" },
		{ .filter = "evt.type=read", .count = 3, .window_ns = 1000 },
		{ .filter = "evt.num > 3 and evt.failed=true" },
		{ .kind = SCAP_CONDITION_HTTP_5XX },
	};
	struct scap_monitor_options opt = { .size = sizeof(opt), .conditions = c, .n_conditions = 4,
					    .flags = SCAP_MONITOR_SIGNALS, .max_programs = 2,
					    .max_sockets = 2, .fired = fired };
	struct scap_monitor *m;

	if (scap_monitor_new(&opt, &m, NULL, NULL))
		abort();
	return m;
}

/* Half of them at a time, so that the second slice finds names and sockets of the first. */
static void slices(struct scap_monitor *m, const uint8_t *data, size_t n, uint8_t how)
{
	struct scap_slice_part parts[PARTS] = { 0 };
	struct scap_slice s = { .real_ns = 1, .parts = parts, .n_parts = PARTS };
	size_t each = n / 2 / PARTS & ~(size_t)7;

	for (unsigned i = 0; i < 2; i++) {
		s.start_ns = how & 0x80 ? 0 : i * 1000;
		s.end_ns = s.start_ns + 1000 + (how & 0x40 ? SCAP_EPOCH_NS : 0);
		for (unsigned k = 0; k < PARTS; k++)
			parts[k] = (struct scap_slice_part){
				.cpu = k / 2, .lane = k % 2, .bytes = each,
				.rows = data + (i * PARTS + k) * each,
			};
		if (how & 0x20) {
			parts[0].bytes = n & ~(size_t)7;
			parts[0].rows = data;
			s.n_parts = 1;
		}
		scap_monitor_slice(m, &s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct scap_monitor_totals t;
	struct scap_monitor *m;

	if (!n)
		return 0;
	last_num = 0;
	m = make();
	slices(m, data + 1, n - 1, data[0]);
	scap_monitor_totals(m, &t);
	if (last_num > t.n_events)
		abort();
	scap_monitor_free(m);
	return 0;
}
