/* SPDX-License-Identifier: MIT */
#include "format/event.h"

uint64_t scap_event_num(const struct scap_event *ev)
{
	return ev->num;
}

uint64_t scap_event_raw_ns(const struct scap_event *ev)
{
	return ev->raw_ns;
}

uint64_t scap_event_wall_ns(const struct scap_event *ev)
{
	return ev->wall_ns;
}

uint32_t scap_event_cpu(const struct scap_event *ev)
{
	return ev->cpu;
}

unsigned scap_event_type(const struct scap_event *ev)
{
	return ev->type;
}

bool scap_event_in_keyframe(const struct scap_event *ev)
{
	return ev->in_keyframe;
}

const char *scap_event_name(const struct scap_event *ev)
{
	const char *name;

	if (ev->name_buf[0])
		return ev->name_buf;
	if (ev->sc)
		return ev->sc->name;
	name = scap__rec_type_name(ev->type);
	return name ? name : "unknown";
}

unsigned scap_event_abi(const struct scap_event *ev)
{
	return ev->abi;
}

int64_t scap_event_nr(const struct scap_event *ev)
{
	return ev->nr;
}

uint32_t scap_event_tid(const struct scap_event *ev)
{
	return ev->tid;
}

uint32_t scap_event_tgid(const struct scap_event *ev)
{
	if (ev->thread)
		return ev->thread->tgid;
	return ev->type == SCAP_REC_FORK ? ev->u.fork.tgid : 0;
}

uint32_t scap_event_ppid(const struct scap_event *ev)
{
	return ev->thread ? ev->thread->ppid : 0;
}

const char *scap_event_comm(const struct scap_event *ev)
{
	return ev->thread ? ev->thread->comm : NULL;
}

uint64_t scap_event_latency_ns(const struct scap_event *ev)
{
	return ev->latency_ns;
}

bool scap_event_has_ret(const struct scap_event *ev)
{
	return ev->type == SCAP_REC_CALL && !(ev->flags & SCAP_CALL_TRAPPED) &&
	       !(ev->more & SCAP_MORE_NO_RET) &&
	       !(ev->sc && ev->sc->ret_role == SCAP_ROLE_RET_NONE);
}

int64_t scap_event_ret(const struct scap_event *ev)
{
	return scap_event_has_ret(ev) ? ev->ret : 0;
}

unsigned scap_event_n_args(const struct scap_event *ev)
{
	return ev->nargs;
}

uint64_t scap_event_arg(const struct scap_event *ev, unsigned i)
{
	return i < ev->nargs ? ev->args[i] : 0;
}

const struct scap__blob *scap__event_blob(const struct scap_event *ev, unsigned slot)
{
	for (unsigned i = 0; i < ev->n_blobs; i++)
		if (ev->blobs[i].slot == slot)
			return &ev->blobs[i];
	return NULL;
}

int scap_event_bytes(const struct scap_event *ev, unsigned slot, const void **ret_data,
		     size_t *ret_bytes, size_t *ret_orig_bytes, unsigned *ret_state)
{
	const struct scap__blob *b = scap__event_blob(ev, slot);

	if (!b)
		return 1;
	*ret_data = b->data;
	*ret_bytes = b->bytes;
	*ret_orig_bytes = b->orig_bytes;
	*ret_state = b->state;
	return 0;
}
