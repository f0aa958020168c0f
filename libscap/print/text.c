/* SPDX-License-Identifier: MIT */
/* An event as a line of text. */
#include "print/line.h"

#include "filter/value.h"

#define GREEN	"\033[32m"
#define CYAN	"\033[36m"
#define RED	"\033[31m"
#define YELLOW	"\033[33m"
#define RESET	"\033[0m"

void scap__print_options(struct scap_print_options *out, const struct scap_print_options *opt)
{
	memset(out, 0, sizeof(*out));
	if (opt)
		memcpy(out, opt, opt->size && opt->size < sizeof(*out) ? opt->size : sizeof(*out));
}

static void out_since(struct scap__out *o, uint64_t now_ns, uint64_t then_ns)
{
	if (now_ns < then_ns)
		scap__out_char(o, '-');
	scap__out_seconds(o, now_ns < then_ns ? then_ns - now_ns : now_ns - then_ns);
}

void scap__out_moment(struct scap__out *o, uint64_t wall_ns, const struct scap_print_options *opt)
{
	switch (opt->time_format) {
	case SCAP_TIME_RELATIVE:
		out_since(o, wall_ns, opt->start_wall_ns);
		break;
	case SCAP_TIME_DELTA:
		out_since(o, wall_ns, opt->prev_wall_ns ? opt->prev_wall_ns : wall_ns);
		break;
	default:
		scap__out_clock(o, wall_ns, opt->utc_offset_s);
	}
}

static void out_color(struct scap__out *o, const struct scap_print_options *opt, const char *code)
{
	if (opt->flags & SCAP_PRINT_COLOR)
		scap__out_str(o, code);
}

static void out_thread(struct scap__out *o, const struct scap_event *ev,
		       const struct scap_print_options *opt)
{
	out_color(o, opt, GREEN);
	if (ev->thread)
		scap__out_word(o, (const uint8_t *)ev->thread->comm, strlen(ev->thread->comm));
	else
		scap__out_lit(o, "<NA>");
	out_color(o, opt, RESET);
	scap__out_lit(o, " (");
	scap__out_uint(o, ev->tid);
	scap__out_lit(o, ") ");
}

static void out_name(struct scap__out *o, const struct scap_event *ev,
		     const struct scap_print_options *opt)
{
	out_color(o, opt, CYAN);
	scap__out_str(o, scap_event_name(ev));
	out_color(o, opt, RESET);
	scap__out_char(o, ' ');
	if (ev->latency_ns == SCAP_LATENCY_NONE || ev->type != SCAP_REC_CALL)
		scap__out_char(o, '-');
	else
		scap__out_duration(o, ev->latency_ns);
}

static void out_result(struct scap__out *o, const struct scap_event *ev,
		       const struct scap_print_options *opt)
{
	bool failed = scap__failed(ev);

	scap__out_lit(o, " res=");
	if (failed)
		out_color(o, opt, RED);
	scap__out_result(o, ev);
	if (failed)
		out_color(o, opt, RESET);
}

/* What is unusual about how the call was seen. */
static void out_marks(struct scap__out *o, const struct scap_event *ev)
{
	if (ev->type != SCAP_REC_CALL && ev->type != SCAP_REC_ENTER)
		return;
	if (ev->abi == SCAP_ABI_I386)
		scap__out_lit(o, " [i386]");
	else if (ev->abi == SCAP_ABI_X32)
		scap__out_lit(o, " [x32]");
	if (ev->type != SCAP_REC_CALL)
		return;
	if (ev->flags & SCAP_CALL_CHILD)
		scap__out_lit(o, " [child]");
	else if (ev->more & SCAP_MORE_MIDCALL)
		scap__out_lit(o, " [mid-call]");
	else if (ev->more & SCAP_MORE_NO_STASH)
		scap__out_lit(o, " [no stash]");
	else if (ev->flags & SCAP_CALL_NO_ENTRY)
		scap__out_lit(o, " [no entry]");
	if (ev->more & SCAP_MORE_ARGS_LOST)
		scap__out_lit(o, " [args lost]");
}

/* Paths mean something else to a thread with another root, or among other mounts. */
static void out_place(struct scap__out *o, const struct scap_event *ev)
{
	const struct scap__thread *t = ev->thread;

	if (!t || !(ev->file || ev->file2 || scap__n_paths(ev)))
		return;
	if (t->root) {
		scap__out_lit(o, " [root ");
		scap__out_word(o, (const uint8_t *)t->root, t->root_bytes);
		scap__out_str(o, t->thread_flags & SCAP_THREAD_ROOT_DOUBT ? "?]" : "]");
	}
	if (t->thread_flags & SCAP_THREAD_OTHER_MNT) {
		scap__out_lit(o, " [mnt ");
		scap__out_uint(o, t->ns_mnt);
		scap__out_char(o, ']');
	}
}

static void out_params(struct scap__out *o, const struct scap_event *ev, uint32_t max_bytes)
{
	struct scap__param params[SCAP__PARAMS_MAX];
	unsigned n = scap__params(ev, params);

	for (unsigned i = 0; i < n; i++) {
		if (params[i].detail)
			continue;
		scap__out_char(o, ' ');
		scap__out_str(o, params[i].name);
		scap__out_char(o, '=');
		scap__out_param(o, ev, &params[i], max_bytes);
	}
}

static size_t print_gap(struct scap__out *o, const struct scap_event *ev,
			const struct scap_print_options *opt)
{
	out_color(o, opt, YELLOW);
	scap__out_lit(o, "INCOMPLETE ");
	scap__out_gap(o, ev, opt);
	out_color(o, opt, RESET);
	return scap__out_end(o);
}

size_t scap_print_text(const struct scap_event *ev, const struct scap_print_options *opt,
		       char *buf, size_t cap)
{
	struct scap_print_options options;
	struct scap__out o;

	scap__print_options(&options, opt);
	scap__out_init(&o, buf, cap);
	if (ev->type == SCAP_REC_GAP)
		return print_gap(&o, ev, &options);
	scap__out_uint(&o, ev->num);
	scap__out_char(&o, ' ');
	scap__out_moment(&o, ev->wall_ns, &options);
	scap__out_char(&o, ' ');
	scap__out_uint(&o, ev->cpu);
	scap__out_char(&o, ' ');
	out_thread(&o, ev, &options);
	out_name(&o, ev, &options);
	out_params(&o, ev, options.max_bytes);
	if (scap__shows_result(ev))
		out_result(&o, ev, &options);
	out_marks(&o, ev);
	out_place(&o, ev);
	return scap__out_end(&o);
}
