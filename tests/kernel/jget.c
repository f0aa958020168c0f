/* SPDX-License-Identifier: MIT */
/*
 * Looks into JSON, line by line:
 *	jget get FILE PATH [OTHERWISE]	the value in the first line
 *	jget count FILE COND...		how many lines meet all conditions
 *	jget show FILE COND...		those lines
 *	jget list FILE PATH COND...	the value of PATH in each of those lines
 * A condition is PATH=VALUE, PATH!=VALUE, PATH~SUBSTRING, PATH<NUMBER, PATH>NUMBER, or PATH:
 * it is there.
 */
#include "guest.h"
#include "json.h"

static bool meets(const char *line, const char *cond)
{
	static char value[1 << 20];
	char path[128];
	size_t n = strcspn(cond, "=!~<>");
	const char *op = cond + n;
	bool there;

	snprintf(path, sizeof(path), "%.*s", (int)n, cond);
	there = json_get(line, path, value, sizeof(value));
	switch (*op) {
	case 0:
		return there;
	case '=':
		return there && strcmp(value, op + 1) == 0;
	case '!':
		return !there || strcmp(value, op + 2) != 0;
	case '~':
		return there && strstr(value, op + 1);
	case '<':
		return there && strtoll(value, NULL, 0) < strtoll(op + 1, NULL, 0);
	default:
		return there && strtoll(value, NULL, 0) > strtoll(op + 1, NULL, 0);
	}
}

static bool meets_all(const char *line, char **conds)
{
	for (; *conds; conds++)
		if (!meets(line, *conds))
			return false;
	return true;
}

static int get(FILE *f, const char *path, const char *otherwise)
{
	static char value[1 << 20];
	char *line = NULL;
	size_t cap = 0;

	if (getdelim(&line, &cap, 0, f) < 0)
		return 1;
	if (json_get(line, path, value, sizeof(value)))
		puts(value);
	else if (otherwise)
		puts(otherwise);
	else
		return 1;
	return 0;
}

static int lines(FILE *f, const char *what, const char *path, char **conds)
{
	static char value[1 << 20];
	unsigned long n = 0;
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, f) > 0) {
		if (!meets_all(line, conds))
			continue;
		n++;
		if (*what == 's')
			fputs(line, stdout);
		if (*what == 'l' && json_get(line, path, value, sizeof(value)))
			puts(value);
	}
	if (*what == 'c')
		printf("%lu\n", n);
	return n == 0 && *what != 'c';
}

int main(int argc, char **argv)
{
	FILE *f = argc > 2 ? fopen(argv[2], "r") : NULL;

	if (argc < 3 || !f)
		die("jget: %s", argc > 2 ? argv[2] : "usage: jget get|count|show|list FILE ...");
	if (argc > 3 && !strcmp(argv[1], "get"))
		return get(f, argv[3], argc > 4 ? argv[4] : NULL);
	if (argc > 3 && !strcmp(argv[1], "list"))
		return lines(f, "list", argv[3], argv + 4);
	return lines(f, argv[1], NULL, argv + 3);
}
