/* SPDX-License-Identifier: MIT */
/* What the filter language accepts and refuses, and where it says that the mistake is. */
#include <criterion/criterion.h>
#include <scap/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compile(const char *text, struct scap_error *err)
{
	struct scap_filter *f = NULL;
	int rc = scap_filter_compile(text, &f, err);

	if (rc < 0)
		cr_expect_null(f, "%s", text);
	scap_filter_free(f);
	return rc;
}

Test(filter_parse, accepts)
{
	static const char *const texts[] = {
		"evt.num=1",
		"  evt.num = 1  ",
		"evt.num==1",
		"evt.num!=1",
		"evt.num<1",
		"evt.num <= 1",
		"evt.num>=-1",
		"evt.num > +1",
		"(evt.num=1)",
		"((evt.num=1))",
		"( evt.num=1 )",
		"(evt.num=1)or(evt.cpu=2)",
		"(evt.num=1)and(evt.cpu=2)",
		"evt.num=1 and(evt.cpu=2)",
		"evt.num=1 and\tevt.cpu=2",
		"evt.num=1 and not evt.cpu=2",
		"evt.num=1 and not(evt.cpu=2)",
		"not not evt.num=1",
		"not(evt.num=1)",
		"not (evt.num=1)",
		"evt.num exists",
		"evt.num existsand evt.cpu=1",
		"evt.num exists and evt.cpu exists or proc.name exists",
		"proc.name in(x)",
		"proc.name in (x,y)",
		"proc.name in ( x , \"y\" , 'z' )",
		"proc.name in ()",
		"proc.name in ( )",
		"proc.name = not",
		"proc.name = and",
		"proc.name = b64 and(evt.num=1)",
		"proc.name = oneof and evt.num exists",
		"proc.name = proc.pname",
		"proc.name = 'a b'",
		"proc.name = \"\"",
		"proc.name = \"a\\\"b\"",
		"proc.name = 'a\\'b'",
		"proc.name = \"it's\"",
		"proc.name = 'say \"x\"'",
		"proc.name = '\\b\\f\\n\\r\\t\\\\x\\/\\x41'",
		"proc.name = 'a\\ b'",
		"proc.name = a\\b",
		"proc.name contains x",
		"proc.name icontains x",
		"proc.name startswith x",
		"proc.name endswith x",
		"proc.name glob *x*",
		"proc.name iglob *x*",
		"proc.name < 5",
		"evt.failed=true",
		"evt.failed = false",
		"evt.buffer contains GET",
		"evt.latency > 10ms",
		"evt.latency > 1.5us and evt.num=1",
		"evt.latency>1s",
		"evt.latency = 10ms",
		"fd.ip = 127.0.0.1",
		"fd.ip in (127.0.0.1, ::1)",
		"fd.ip != 2001:db8::1",
		"fd.port < 1024",
		"fd.port = 80",
		"evt.arg.name = x",
		"evt.arg[0] = x",
		"evt.arg[\"1\"] = x",
		"evt.arg.res exists",
		"evt.rawarg.size > 10",
		"evt.type = openat",
		"evt.type in (open, openat, procexit, execve_enter, syscall_999)",
		"evt.type contains open",
	};
	struct scap_error err;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect(!compile(texts[i], &err), "%s: column %llu: %s", texts[i],
			  (unsigned long long)err.offset, err.text);
}

Test(filter_parse, refuses)
{
	static const struct {
		const char *text;
		unsigned column;
		const char *says;
	} cases[] = {
		{ "", 1, "empty" },
		{ "   ", 4, "empty" },
		{ "evt.num", 8, "expected an operator" },
		{ "evt.num 1", 9, "expected an operator" },
		{ "evt.num =", 10, "expected a value" },
		{ "evt.num = =", 11, "expected a value" },
		{ "evt.num = 1 2", 13, "'and', 'or' or the end" },
		{ "evt.num=1)", 10, "'and', 'or' or the end" },
		{ "(evt.num=1", 11, "expected ')'" },
		{ "()", 2, "expected a field" },
		{ "evt.num=1 and", 14, "after 'and'" },
		{ "evt.num=1 and ", 15, "expected a field" },
		{ "evt.num=1 or or evt.cpu=1", 14, "is not a field" },
		{ "evt.num=1 andnot evt.cpu=2", 14, "after 'and'" },
		{ "evt.num=1 AND evt.cpu=2", 11, "'and', 'or' or the end" },
		{ "notb", 1, "'notb' is not a field" },
		{ "evt.num Exists", 9, "expected an operator" },
		{ "proc.name containsfoo", 11, "expected an operator" },
		{ "proc.name contains", 19, "expected a value" },
		{ "(proc.name glob)", 16, "expected a value" },
		{ "evt.time > '22:13'", 12, "--from" },
		{ "evt.rawtime < x", 15, "--from" },
		{ "evt.type = syscall_other", 12, "unknown event type" },
		{ "proc.name in x", 14, "a named list: not supported yet" },
		{ "proc.name in", 13, "expected a list" },
		{ "proc.name in (x", 16, "expected ',' or ')'" },
		{ "proc.name in (x,)", 17, "expected a value" },
		{ "proc.name in (,x)", 15, "expected a value" },
		{ "proc.name in (x,,y)", 17, "expected a value" },
		{ "proc.name in (x y)", 17, "expected ',' or ')'" },
		{ "proc.name = 'x", 13, "has no end" },
		{ "proc.name = 'a\\\\'", 13, "has no end" },
		{ "proc.name = 'a\\q'", 15, "unknown escape" },
		{ "proc.name = 'a\\\"'", 15, "unknown escape" },
		{ "proc.name = 'a\\x4'", 15, "unknown escape" },
		{ "proc.name = 'a\\x00'", 13, "NUL" },
		{ "proc.name < x", 13, "expected a number" },
		{ "evt.num < 0x10", 11, "is not a decimal number" },
		{ "evt.num < 1.5", 11, "is not a decimal number" },
		{ "evt.num < 1e+1", 11, "is not a decimal number" },
		{ "evt.num = 99999999999999999999", 11, "is not a decimal number" },
		{ "evt.rawres = 9223372036854775808", 14, "64 bits" },
		{ "evt.num contains 1", 9, "does not work on 'evt.num'" },
		{ "evt.failed < 1", 12, "does not work on 'evt.failed'" },
		{ "evt.failed = 1", 14, "true or false" },
		{ "evt.buffer < 1", 12, "does not work on 'evt.buffer', which is of type bytes" },
		{ "evt.buffer icontains x", 12, "does not work" },
		{ "fd.ip < 1", 7, "does not work" },
		{ "fd.ip contains 1", 7, "does not work" },
		{ "fd.ip = 1.2.3", 9, "is not an address" },
		{ "fd.ip = 1.2.3.4.5", 9, "is not an address" },
		{ "fd.ip = ::g", 9, "is not an address" },
		{ "fd.port = 65536", 11, "is not a port" },
		{ "fd.port = http", 11, "not supported yet" },
		{ "evt.latency > 10min", 17, "'and', 'or' or the end" },
		{ "evt.latency = 10m", 15, "is not a duration" },
		{ "evt.latency = 1.5", 15, "is not a duration" },
		{ "evt.latency = 99999999999999999s", 15, "is not a duration" },
		{ "proc.nmae = x", 1, "did you mean 'proc.name'?" },
		{ "evt.num=1 and prc.name=x", 15, "did you mean 'proc.name'?" },
		{ "zzz.qqq = x", 1, "unknown field 'zzz.qqq'" },
		{ "evt.arg = x", 8, "expected .NAME or [N]" },
		{ "evt.arg.nmae = x", 9, "did you mean 'name'?" },
		{ "evt.arg.name[1] = x", 13, "not both" },
		{ "evt.arg[] = x", 9, "expected an argument" },
		{ "evt.arg[x] = x", 9, "a position" },
		{ "evt.arg[1 ] = x", 10, "expected ']'" },
		{ "evt.arg [1] = x", 9, "expected an operator" },
		{ "evt.num[1] = x", 8, "takes no argument" },
		{ "evt.type = opnat", 12, "unknown event type 'opnat'; did you mean 'openat'?" },
		{ "evt.type contains ope", 19, "unknown event type" },
		{ "evt.type in (open, x)", 20, "unknown event type" },
		{ "evt.type = syscall_", 12, "unknown event type" },
		{ "my_macro", 1, "macros are not supported yet" },
		{ "tolower(proc.name) = x", 1, "transformers: not supported yet" },
		{ "proc.name = val(proc.pname)", 13, "right side: not supported yet" },
		{ "proc.name regex x", 11, "regex: not supported yet" },
		{ "proc.name pmatch (x)", 11, "pmatch: not supported yet" },
		{ "proc.name intersects (x)", 11, "intersects: not supported yet" },
		{ "evt.buffer bcontains ca", 12, "bcontains: not supported yet" },
		{ "proc.name = anyof (a)", 13, "not supported yet" },
		{ "proc.name = anyof list", 13, "not supported yet" },
		{ "\x1b[31m", 1, "expected a field" },
	};
	struct scap_error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&err, 0, sizeof(err));
		cr_expect_eq(compile(cases[i].text, &err), SCAP_ESYNTAX, "%s", cases[i].text);
		cr_expect_eq(err.code, SCAP_ESYNTAX);
		cr_expect_eq(err.offset, cases[i].column, "%s: column %llu: %s", cases[i].text,
			     (unsigned long long)err.offset, err.text);
		cr_expect(strstr(err.text, cases[i].says), "%s: %s", cases[i].text, err.text);
		for (const char *p = err.text; *p; p++)
			cr_expect((unsigned char)*p >= 0x20, "%s", cases[i].text);
		cr_expect_eq(compile(cases[i].text, NULL), SCAP_ESYNTAX);
	}
}

static char *nested(unsigned depth, const char *open, const char *inner, const char *close)
{
	char *s = malloc(depth * (strlen(open) + strlen(close)) + strlen(inner) + 1);
	char *p = s;

	for (unsigned i = 0; i < depth; i++)
		p = stpcpy(p, open);
	p = stpcpy(p, inner);
	for (unsigned i = 0; i < depth; i++)
		p = stpcpy(p, close);
	return s;
}

Test(filter_parse, limits)
{
	struct scap_error err;
	char *s = nested(99, "(", "evt.num=1", ")");

	cr_expect(!compile(s, &err));
	free(s);
	s = nested(100, "(", "evt.num=1", ")");
	cr_expect_eq(compile(s, &err), SCAP_ESYNTAX);
	cr_expect(strstr(err.text, "max depth"), "%s", err.text);
	cr_expect_eq(err.offset, 101);
	free(s);
	s = nested(10000, "not ", "evt.num=1", "");
	cr_expect(!compile(s, &err));
	free(s);
	/* A long chain is no nesting. */
	s = nested(4000, "evt.num=1 and ", "evt.num=1", "");
	cr_expect(!compile(s, &err), "%s", err.text);
	free(s);
	/* Nor are parentheses that are closed again. */
	s = nested(200, "(evt.num=1)or ", "evt.num=1", "");
	cr_expect(!compile(s, &err), "%s", err.text);
	free(s);
	s = nested(70000, " ", "evt.num=1", "");
	cr_expect_eq(compile(s, &err), SCAP_ESYNTAX);
	cr_expect(strstr(err.text, "longer than 65536"), "%s", err.text);
	free(s);
}

/* A suggestion only where it is near. */
Test(filter_parse, no_wild_suggestions)
{
	struct scap_error err;

	cr_expect_eq(compile("zzz.qqq = x", &err), SCAP_ESYNTAX);
	cr_expect_str_eq(err.text, "unknown field 'zzz.qqq'");
	cr_expect_eq(compile("evt.type = xyzzy", &err), SCAP_ESYNTAX);
	cr_expect_str_eq(err.text, "unknown event type 'xyzzy'");
}

Test(filter_parse, long_constants)
{
	char text[400] = "proc.name=";
	struct scap_error err;

	memset(text + 10, 'x', 255);
	cr_expect(!compile(text, &err));
	text[265] = 'x';
	cr_expect_eq(compile(text, &err), SCAP_ESYNTAX);
	cr_expect(strstr(err.text, "filter parameter too long"), "%s", err.text);
	cr_expect_eq(err.offset, 11);
}

Test(filter_parse, fields_are_described)
{
	const char *name, *type, *text;
	unsigned n = 0;

	for (; !scap_field_describe(n, &name, &type, &text); n++) {
		struct scap_field *f = NULL;
		char full[64];

		cr_expect(*type && *text);
		snprintf(full, sizeof(full), "%s%s", name,
			 !strcmp(name, "evt.arg") || !strcmp(name, "evt.rawarg") ? ".name" : "");
		cr_expect(!scap_field_compile(full, &f, NULL), "%s", full);
		scap_field_free(f);
	}
	cr_expect_gt(n, 20);
}

/* docs/filter.md holds the table of fields as it is; run from the project's root. */
Test(filter_parse, fields_are_in_the_document)
{
	const char *name, *type, *text;
	static char doc[65536];
	FILE *file = fopen("docs/filter.md", "r");
	char row[256];

	if (!file)
		cr_skip_test("not in the project's root");
	doc[fread(doc, 1, sizeof(doc) - 1, file)] = '\0';
	fclose(file);
	for (unsigned n = 0; !scap_field_describe(n, &name, &type, &text); n++) {
		snprintf(row, sizeof(row), "| `%s` | %s | %s |\n", name, type, text);
		cr_expect(strstr(doc, row), "%s", row);
	}
}
