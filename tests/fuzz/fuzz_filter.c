/* SPDX-License-Identifier: MIT */
/*
 * Any text as filter, field and format; what compiles runs on events made of the rest of the
 * bytes. The first byte says where the text ends. Texts that come out must be safe for a terminal,
 * and JSON must be valid UTF-8.
 */
#include <scap/filter.h>
#include <scap/print.h>
#include <stdlib.h>
#include <string.h>

#include "filter/out.h"
#include "format/event.h"

#define RECORD_MAX 4096

static char shown[65536];

static void check_safe(size_t n)
{
	size_t i = 0, end = n < sizeof(shown) ? n : sizeof(shown) - 1;

	while (i < end) {
		unsigned len = scap__utf8_len((const uint8_t *)shown + i, sizeof(shown) - i);

		/* The end may cut a character in two. */
		if (!len && !(n >= sizeof(shown) && end - i < 4))
			abort();
		i += len ? len : 1;
	}
	if (shown[end])
		abort();
}

static void print_event(const struct scap_event *ev, const struct scap_format *format)
{
	struct scap_print_options opt = { .size = sizeof(opt), .max_bytes = ev->tid & 31 };

	check_safe(scap_print_text(ev, &opt, shown, sizeof(shown)));
	check_safe(scap_print_json(ev, &opt, shown, sizeof(shown)));
	if (format)
		scap_format_print(format, ev, &opt, shown, sizeof(shown));
}

static void use_event(const struct scap_event *ev, const struct scap_filter *filter,
		      const struct scap_field *field, const struct scap_format *format)
{
	if (filter)
		scap_filter_match(filter, ev);
	if (field) {
		ssize_t n = scap_field_text(field, ev, shown, sizeof(shown));

		if (n >= 0)
			check_safe((size_t)n);
	}
	print_event(ev, format);
}

/* A thread and a file whose texts are the fuzzer's. */
static void use_record(const uint8_t *data, size_t n, const struct scap_filter *filter,
		       const struct scap_field *field, const struct scap_format *format)
{
	static struct scap_event ev;
	static char path[64];
	struct scap__thread thread = { .tid = 1, .tgid = 1 };
	struct scap__file file = { .cookie = 1, .path = path };
	uint8_t *copy;
	const char *what;

	if (n < 16 || n > RECORD_MAX || n % 8)
		return;
	copy = malloc(n);
	memcpy(copy, data, n);
	memcpy(thread.comm, data, 15);
	memcpy(path, data, n < 63 ? n : 63);
	file.path_bytes = (uint32_t)strlen(path);
	file.kind = data[0] % SCAP_KINDS;
	if (file.kind >= SCAP_KIND_INET && file.kind <= SCAP_KIND_SOCKET)
		file.path = NULL;
	memset(&ev, 0, sizeof(ev));
	if (!scap__event_decode(copy, n, &ev, &what)) {
		use_event(&ev, filter, field, format);
		ev.thread = &thread;
		ev.file = ev.file2 = &file;
		use_event(&ev, filter, field, format);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct scap_filter *filter = NULL;
	struct scap_field *field = NULL;
	struct scap_format *format = NULL;
	struct scap_error err;
	size_t n_text;
	char *text;

	if (!n)
		return 0;
	n_text = data[0] < n ? data[0] : n - 1;
	text = malloc(n_text + 1);
	memcpy(text, data + 1, n_text);
	text[n_text] = '\0';
	if (scap_filter_compile(text, &filter, &err) < 0 &&
	    (err.code != SCAP_ESYNTAX || err.offset < 1 || err.offset > strlen(text) + 1))
		abort();
	if (scap_field_compile(text, &field, &err) < 0)
		field = NULL;
	if (scap_format_compile(text, &format, &err) < 0)
		format = NULL;
	use_record(data + 1 + n_text, n - 1 - n_text, filter, field, format);
	scap_filter_free(filter);
	scap_field_free(field);
	scap_format_free(format);
	free(text);
	return 0;
}
