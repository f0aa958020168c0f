/* SPDX-License-Identifier: MIT */
/* Option tables: parsing, values, the nearest word. */
#include <criterion/criterion.h>

#include "tools/opts.c"

enum { A = 1, B, LONG, N };

static const struct opt opts[] = {
	{ A, 'a', "all", NULL, "" }, { B, 'b', "bytes", "N", "" },
	{ LONG, 0, "long-only", "X", "" }, { N, 'n', NULL, "N", "" }, { 0 }
};
static const struct verb verb = { .name = "test", .opts = opts };

/* What comes, as text: "a b=5 .file" */
static const char *parse(char **argv)
{
	static char text[256];
	struct opt_parser p;
	int argc = 0, id;
	size_t n = 0;

	while (argv[argc])
		argc++;
	text[0] = 0;
	opt_init(&p, &verb, argc, argv);
	while ((id = opt_next(&p)) > 0)
		n += snprintf(text + n, sizeof(text) - n, "%s%c%s%s", n ? " " : "",
			      id == OPT_OPERAND ? '.' : "?ablN"[id], p.arg && id < 1000 ? "=" : "",
			      p.arg ?: "");
	if (id < 0)
		n += snprintf(text + n, sizeof(text) - n, " bad");
	if (p.rest)
		snprintf(text + n, sizeof(text) - n, " +%d", p.n_rest);
	return text;
}

#define PARSE(...) parse((char *[]){ "test", __VA_ARGS__, NULL })

Test(tool_opts, forms)
{
	cr_expect_str_eq(PARSE("-a", "file"), "a .file");
	cr_expect_str_eq(PARSE("file", "--all"), ".file a");
	cr_expect_str_eq(PARSE("-b", "5"), "b=5");
	cr_expect_str_eq(PARSE("-b5"), "b=5");
	cr_expect_str_eq(PARSE("-ab5", "-a"), "a b=5 a");
	cr_expect_str_eq(PARSE("--bytes=5", "--bytes", "6", "--bytes="), "b=5 b=6 b=");
	cr_expect_str_eq(PARSE("--long-only", "-a"), "l=-a");
	cr_expect_str_eq(PARSE("-"), ".-");
	cr_expect_str_eq(PARSE("-13", "x"), ".-13 .x");
	cr_expect_str_eq(PARSE("x", "--", "-a", "y"), ".x +2");
	cr_expect_str_eq(PARSE("--"), " +0");
}

Test(tool_opts, errors)
{
	cr_expect_str_eq(PARSE("-a", "-z"), "a bad");
	cr_expect_str_eq(PARSE("-b"), " bad");
	cr_expect_str_eq(PARSE("--bytes"), " bad");
	cr_expect_str_eq(PARSE("--all=x"), " bad");
	cr_expect_str_eq(PARSE("--al"), " bad");
	cr_expect_str_eq(PARSE("--allx"), " bad");
	cr_expect_str_eq(PARSE("--=x"), " bad");
}

static struct opt_parser with(const char *arg)
{
	return (struct opt_parser){ .verb = &verb, .opt = &opts[1], .arg = arg };
}

static uint64_t size(const char *text)
{
	struct opt_parser p = with(text);
	uint64_t v;

	return opt_size(&p, 0, UINT64_MAX - 1, &v) ? v : UINT64_MAX;
}

static uint64_t duration(const char *text)
{
	struct opt_parser p = with(text);
	uint64_t v;

	return opt_duration_ns(&p, &v) ? v : UINT64_MAX;
}

Test(tool_opts, values)
{
	struct opt_parser p = with("5");
	uint64_t v = 0;

	cr_expect(opt_u64(&p, 5, 5, &v) && v == 5);
	cr_expect_not(opt_u64(&p, 6, 7, &v));
	cr_expect_eq(size("64"), 64);
	cr_expect_eq(size("64k"), 65536);
	cr_expect_eq(size("3G"), 3ull << 30);
	cr_expect_eq(size("16777216T"), UINT64_MAX, "more than 64 bits");
	cr_expect_eq(size("18446744073709551616"), UINT64_MAX);
	cr_expect_eq(size("5KB"), UINT64_MAX);
	cr_expect_eq(size("-5"), UINT64_MAX);
	cr_expect_eq(size(""), UINT64_MAX);
	cr_expect_eq(duration("1.5"), 1500000000);
	cr_expect_eq(duration("200ms"), 200000000);
	cr_expect_eq(duration("2m"), 120000000000);
	cr_expect_eq(duration("30d"), 30ull * 86400 * 1000000000);
	cr_expect_eq(duration("inf"), UINT64_MAX);
	cr_expect_eq(duration("1e400"), UINT64_MAX);
	cr_expect_eq(duration("5x"), UINT64_MAX);
}

static const char *near(const char *word)
{
	static const char *const words[] = { "record", "read", "info", "verify", "help" };
	struct nearest n;

	nearest_init(&n, word);
	for (unsigned i = 0; i < 5; i++)
		nearest_try(&n, words[i]);
	return nearest_get(&n) ?: "none";
}

Test(tool_opts, nearest)
{
	cr_expect_str_eq(near("raed"), "read");
	cr_expect_str_eq(near("recrod"), "record");
	cr_expect_str_eq(near("rec"), "record");
	cr_expect_str_eq(near("infos"), "info");
	cr_expect_str_eq(near("verfy"), "verify");
	cr_expect_str_eq(near("xyzzy"), "none");
	cr_expect_str_eq(near("replay"), "none", "too far to be meant");
	cr_expect_str_eq(near("x"), "none");
	cr_expect_str_eq(near(""), "none");
}

static const char *shown(const char *s, size_t cap)
{
	static char buf[64];

	memset(buf, '#', sizeof(buf));
	tool_shown(s, buf, cap);
	cr_expect_eq(buf[cap], '#', "behind the end");
	return buf;
}

/* What a terminal acts on is escaped, whatever its character set; other text stays. */
Test(tool_opts, shown)
{
	cr_expect_str_eq(shown("plain 'text'", 32), "plain 'text'");
	cr_expect_str_eq(shown("\033[2J\r\n\x7f", 32), "\\x1b[2J\\x0d\\x0a\\x7f");
	cr_expect_str_eq(shown("caf\u00e9 \u20ac \U0001f600", 32), "caf\u00e9 \u20ac \U0001f600");
	cr_expect_str_eq(shown("\xc2\x9b" "1m", 32), "\\xc2\\x9b1m");
	cr_expect_str_eq(shown("\x9b\xff\xc3", 32), "\\x9b\\xff\\xc3");
	cr_expect_str_eq(shown("\xc0\x9b\xe0\x80\x9b", 32), "\\xc0\\x9b\\xe0\\x80\\x9b");
	cr_expect_str_eq(shown("abcdefgh", 8), "abcd", "room for one escape more is kept");
	cr_expect_str_eq(shown("", 1), "");
}
