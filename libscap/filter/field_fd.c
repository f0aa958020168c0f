/* SPDX-License-Identifier: MIT */
/* Fields of the file behind the descriptor that an event is about. */
#include "filter/field_get.h"

SCAP__GETTER(fd_num)
{
	const struct scap__file *file;

	return scap__event_fd(ev, &v->i, &file);
}

/* *meant is room for what *ret_file may point to. */
static bool fd_file(const struct scap_event *ev, const struct scap__file **ret_file,
		    struct scap__file *meant)
{
	int64_t num;

	if (!scap__event_fd(ev, &num, ret_file))
		return false;
	*ret_file = scap__as_connected(ev, *ret_file, meant);
	return *ret_file;
}

SCAP__GETTER(fd_name)
{
	const struct scap__file *file;
	struct scap__file meant;
	struct scap__out o;

	scap__out_init(&o, s->buf, s->cap);
	if (fd_file(ev, &file, &meant)) {
		if (file->path) {
			v->s.p = (const uint8_t *)file->path;
			v->s.n = file->path_bytes;
			return true;
		}
		scap__out_file_name(&o, file);
		return scap__set_composed(v, &o);
	}
	if (!scap__open_like(ev) || ev->ret >= 0 || !scap__out_path(&o, ev, 0))
		return false;
	scap__set_composed(v, &o);
	v->composed = false;
	return true;
}

SCAP__GETTER(fd_type)
{
	const struct scap__file *file;
	struct scap__file meant;
	struct scap__addr ends[2];
	unsigned n;

	if (!fd_file(ev, &file, &meant))
		return false;
	if (scap__file_ends(file, ends, &n))
		return scap__set_text(v, ends[0].v6 ? "ipv6" : "ipv4");
	return scap__set_text(v, scap__file_type(file));
}

/* An end is an address and a port: the type of the field says which one is asked for. */
SCAP__GETTER(fd_ip)
{
	const struct scap__file *file;
	struct scap__file meant;

	return fd_file(ev, &file, &meant) && scap__file_ends(file, v->ends, &v->n_ends);
}

SCAP__GETTER(fd_lip)
{
	if (!scap__get_fd_ip(f, ev, s, v))
		return false;
	v->n_ends = 1;
	return true;
}

SCAP__GETTER(fd_rip)
{
	if (!scap__get_fd_ip(f, ev, s, v) || v->n_ends < 2)
		return false;
	v->ends[0] = v->ends[1];
	v->n_ends = 1;
	return true;
}
