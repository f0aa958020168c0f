/* SPDX-License-Identifier: MIT */
/* What messages hand over, whole and damaged. */
#include <criterion/criterion.h>
#include <scap/print.h>

#include "support_rows.h"
#include "test_filter_event.h"

#define U(x) ((uint64_t)(x))

static struct rows r;

static void put32(uint32_t v)
{
	rows_put(&r, &v, sizeof(v));
}

static void head(uint32_t flags, uint32_t n_fds)
{
	rows_free(&r);
	put32(flags);
	put32(n_fds);
	put32(77);
	put32(1000);
	put32(100);
	put32(0);
}

static void fd(int32_t number, const char *path)
{
	struct rows file = { 0 };

	rows_file(&file, 0, 0, 9, path);
	put32((uint32_t)number);
	put32((uint32_t)file.n);
	rows_put(&r, file.p, file.n);
	rows_free(&file);
}

/* The parameters that the blob gives, as shown. The copy has nothing behind it. */
static const char *shown(unsigned state, size_t n)
{
	static char text[2000];
	uint8_t *copy = malloc(n);
	struct scap_event ev;
	const char *from, *to;

	memcpy(copy, r.p, n);
	test_call(&ev, SCAP_ABI_X86_64, "recvmsg", 1, 3, U(3), U(0x1000), U(0));
	test_blob(&ev, SCAP_SLOT_SCM, state, copy, n, n);
	scap_print_text(&ev, NULL, text, sizeof(text));
	scap_print_json(&ev, NULL, (char[4000]){ 0 }, 4000);
	free(copy);
	from = strstr(text, "msg=0x1000") + strlen("msg=0x1000");
	to = strstr(text, " flags=");
	cr_assert(to && from <= to, "%s", text);
	text[to - text] = 0;
	return from;
}

Test(scm, shown)
{
	head(0, 2);
	fd(7, "/srv/x");
	put32((uint32_t)-1);
	put32(0);
	cr_expect_str_eq(shown(SCAP_STATE_WHOLE, r.n), " fds=[7</srv/x>, -1]");
	cr_expect_str_eq(shown(SCAP_STATE_TRUNCATED, r.n), " fds=[7</srv/x>, -1]...(2)");
	cr_expect_str_eq(shown(SCAP_STATE_UNREADABLE, r.n), " fds=[7</srv/x>, -1]<unreadable>");
	head(SCAP_SCM_CREDS, 0);
	cr_expect_str_eq(shown(SCAP_STATE_WHOLE, r.n), " creds={pid=77, uid=1000, gid=100}");
}

/* Every length: nothing beyond it is read, nothing is invented. */
Test(scm, cut_anywhere)
{
	head(SCAP_SCM_CREDS, 1);
	fd(7, "/srv/longer/than/a/word");
	for (size_t n = 1; n < r.n; n++) {
		const char *text = shown(SCAP_STATE_WHOLE, n);

		cr_expect(!strstr(text, "/srv"), "%zu: %s", n, text);
		cr_expect_eq(n >= 24, strstr(text, "creds") != NULL, "%zu: %s", n, text);
	}
}

/* A record that is damaged, or none of a file. */
Test(scm, damaged_file)
{
	head(0, 1);
	fd(7, "/srv/x");
	r.p[32]++;
	cr_expect_str_eq(shown(SCAP_STATE_WHOLE, r.n), " fds=[7]");
	r.p[32]--;
	r.p[34] = SCAP_REC_EXIT;
	cr_expect_str_eq(shown(SCAP_STATE_WHOLE, r.n), " fds=[7]");
	r.p[34] = SCAP_REC_FILE;
	r.p[28] = 0xff;		/* longer than the blob */
	cr_expect_str_eq(shown(SCAP_STATE_WHOLE, r.n), " fds=[]...(1)");
	rows_free(&r);
}
