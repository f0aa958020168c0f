/* SPDX-License-Identifier: MIT */
/*
 * Who could not open what? An event cursor with a filter, and one field of each event as text.
 *
 *	cc -o failed_opens failed_opens.c $(pkg-config --cflags --libs scap)
 *	./failed_opens shop.scapz
 */
#include <scap/filter.h>
#include <scap/reader.h>
#include <stdio.h>
#include <string.h>

static const char filter_text[] =
	"evt.failed=true and evt.type in (open, openat, openat2, creat)";

/* What the reader, a filter and a field are needed for; what was not opened is NULL. */
struct cursor {
	struct scap_reader *reader;
	struct scap_filter *filter;
	struct scap_field *path;
};

static int cursor_open(struct cursor *c, const char *file, struct scap_error *err)
{
	int rc = scap_filter_compile(filter_text, &c->filter, err);

	if (!rc)
		rc = scap_field_compile("evt.arg.name", &c->path, err);
	if (!rc)
		rc = scap_reader_open_path(file, NULL, &c->reader, err);
	/* The reader need not even unpack events that cannot match. */
	if (!rc)
		scap_reader_choose(c->reader, c->filter);
	return rc;
}

static void cursor_close(struct cursor *c)
{
	scap_reader_close(c->reader);
	scap_field_free(c->path);
	scap_filter_free(c->filter);
}

/* Processes that were there before the capture, or of which a loss hid the name, have none. */
static void show(struct cursor *c, const struct scap_event *ev)
{
	const char *comm = scap_event_comm(ev);
	char path[4096];

	if (scap_field_text(c->path, ev, path, sizeof(path)) < 0)
		strcpy(path, "?");
	printf("%s (%u): %s: %s\n", comm ? comm : "?", scap_event_tgid(ev), path,
	       strerror((int)-scap_event_ret(ev)));
}

/* 0; or the last thing that was wrong, also where reading went on behind it. */
static int show_all(struct cursor *c)
{
	const struct scap_event *ev;
	int rc, ret = 0;

	while ((rc = scap_reader_next(c->reader, &ev)) <= 0) {
		uint64_t n_lost, from, to;

		if (rc < 0) {
			fprintf(stderr, "%s\n", scap_reader_error(c->reader)->text);
			ret = rc;
			if (rc != SCAP_EDAMAGED)
				break;
		} else if (scap_event_gap(ev, &n_lost, &from, &to) == 0) {
			printf("%llu events are missing here\n", (unsigned long long)n_lost);
		} else if (scap_filter_match(c->filter, ev)) {
			show(c, ev);
		}
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct cursor c = { 0 };
	struct scap_error err;
	int rc;

	if (argc != 2) {
		fputs("usage: failed_opens FILE\n", stderr);
		return 1;
	}
	rc = cursor_open(&c, argv[1], &err);
	if (rc)
		fprintf(stderr, "%s\n", err.text);
	else
		rc = show_all(&c);
	cursor_close(&c);
	return rc ? 2 : 0;
}
