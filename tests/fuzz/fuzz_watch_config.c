/* SPDX-License-Identifier: MIT */
/* Any bytes as a configuration. What is taken must come out as text that means the same. */
#include <stdlib.h>
#include <string.h>

#include "watch/config.h"

static char *print(const struct watch_config *c, size_t *ret_n)
{
	char *text;
	FILE *out = open_memstream(&text, ret_n);

	config_print(c, out);
	fclose(out);
	return text;
}

static void check_error(const struct config_error *err)
{
	if (!*err->text || strlen(err->text) >= sizeof(err->text) || (err->column && !err->line))
		abort();
}

static void read_back(const char *text, size_t n)
{
	struct config_error err = { 0 };
	struct watch_config c;
	size_t n_again;
	char *again;

	config_init(&c);
	if (!config_parse(&c, text, n, &err) || !config_check(&c, &err))
		abort();
	again = print(&c, &n_again);
	if (n_again != n || memcmp(again, text, n))
		abort();
	free(again);
	config_fini(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct config_error err = { 0 };
	struct watch_config c;
	size_t n_text;
	char *text;

	config_init(&c);
	if (!config_parse(&c, (const char *)data, n, &err) || !config_check(&c, &err)) {
		check_error(&err);
	} else {
		text = print(&c, &n_text);
		/* Escapes make it longer: it may be more than a file may have. */
		if (n_text < 1 << 20)
			read_back(text, n_text);
		free(text);
	}
	config_fini(&c);
	return 0;
}
