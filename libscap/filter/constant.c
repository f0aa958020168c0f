/* SPDX-License-Identifier: MIT */
/* Constants of a filter: from text to the type of the field they are compared with. */
#include "filter/program.h"

#include <arpa/inet.h>

#include "filter/suggest.h"

#define STRING_MAX 255

bool scap__op_legal(unsigned op, unsigned type)
{
	switch (op) {
	case SCAP__OP_EXISTS:
	case SCAP__OP_EQ:
	case SCAP__OP_NE:
	case SCAP__OP_IN:
		return true;
	case SCAP__OP_LT:
	case SCAP__OP_LE:
	case SCAP__OP_GT:
	case SCAP__OP_GE:
		return type <= SCAP__TYPE_PORT || type == SCAP__TYPE_STRING;
	case SCAP__OP_CONTAINS:
	case SCAP__OP_STARTSWITH:
	case SCAP__OP_ENDSWITH:
		return type == SCAP__TYPE_STRING || type == SCAP__TYPE_BYTES;
	default:
		return type == SCAP__TYPE_STRING;
	}
}

static int bad_value(const struct scap__literal *lit, const char *wanted, struct scap_error *err)
{
	char shown[4 * SCAP__SHOWN_MAX + 8];

	return scap__syntax_error(err, lit->column, "'%s' is not %s",
				  scap__shown(shown, lit->p, lit->n), wanted);
}

/* Digits from p on; false: none, or too many for 64 bits. */
static bool take_digits(const char **p, const char *end, uint64_t *ret_v)
{
	const char *start = *p;
	uint64_t v = 0;

	while (*p < end && **p >= '0' && **p <= '9') {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(**p - '0'), &v))
			return false;
		(*p)++;
	}
	*ret_v = v;
	return *p > start;
}

/* Decimal with an optional sign and nothing behind it. */
static bool to_number(const struct scap__literal *lit, bool *ret_negative, uint64_t *ret_v)
{
	const char *p = lit->p, *end = lit->p + lit->n;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	*ret_negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	return take_digits(&p, end, ret_v) && p == end;
}

static int init_number(struct scap__constant *c, unsigned type, const struct scap__literal *lit,
		       struct scap_error *err)
{
	bool negative;
	uint64_t v;

	if (!to_number(lit, &negative, &v))
		return bad_value(lit, "a decimal number", err);
	if (type == SCAP__TYPE_INT && v > (uint64_t)INT64_MAX + negative)
		return bad_value(lit, "a number of 64 bits", err);
	c->u = negative ? -v : v;
	return 0;
}

static uint64_t unit_ns(const char *p, const char *end)
{
	static const struct { const char *unit; uint64_t ns; } units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if ((size_t)(end - p) == strlen(units[i].unit) &&
		    !memcmp(p, units[i].unit, (size_t)(end - p)))
			return units[i].ns;
	return 0;
}

/* Nanoseconds, or a number with a unit, which may have a fraction. */
static int init_duration(struct scap__constant *c, const struct scap__literal *lit,
			 struct scap_error *err)
{
	const char *p = lit->p, *end = lit->p + lit->n;
	uint64_t whole, unit, ns;

	if (!take_digits(&p, end, &whole) || p == end)
		return init_number(c, SCAP__TYPE_RELTIME, lit, err);
	c->u = 0;
	if (*p == '.') {
		const char *fraction = ++p;

		while (p < end && *p >= '0' && *p <= '9')
			p++;
		unit = unit_ns(p, end);
		for (uint64_t digit = unit / 10; fraction < p; digit /= 10)
			c->u += (uint64_t)(*fraction++ - '0') * digit;
	} else {
		unit = unit_ns(p, end);
	}
	if (!unit || __builtin_mul_overflow(whole, unit, &ns) ||
	    __builtin_add_overflow(c->u, ns, &c->u))
		return bad_value(lit, "a duration: nanoseconds, or a number with ns, us, ms or s",
				 err);
	return 0;
}

static int init_port(struct scap__constant *c, const struct scap__literal *lit,
		     struct scap_error *err)
{
	bool negative;

	if (!lit->n) {
		c->u = 0;
		return 0;
	}
	if (!to_number(lit, &negative, &c->u) || negative || c->u > 65535)
		return bad_value(lit, "a port from 0 to 65535 (names of services are not "
				      "supported yet)", err);
	return 0;
}

static int init_bool(struct scap__constant *c, const struct scap__literal *lit,
		     struct scap_error *err)
{
	c->b = lit->n == 4 && !memcmp(lit->p, "true", 4);
	if (!c->b && (lit->n != 5 || memcmp(lit->p, "false", 5)))
		return bad_value(lit, "true or false", err);
	return 0;
}

static int init_addr(struct scap__constant *c, const struct scap__literal *lit,
		     struct scap_error *err)
{
	char text[INET6_ADDRSTRLEN];

	memset(&c->addr, 0, sizeof(c->addr));
	if (lit->n >= sizeof(text))
		return bad_value(lit, "an address", err);
	memcpy(text, lit->p, lit->n);
	text[lit->n] = '\0';
	c->addr.v6 = strchr(text, ':');
	if (inet_pton(c->addr.v6 ? AF_INET6 : AF_INET, text, c->addr.bytes) != 1)
		return bad_value(lit, "an address, such as 127.0.0.1 or ::1", err);
	return 0;
}

/* ---- names of events ------------------------------------------------------------------------- */

static const char *const event_names[] = {
#define SCAP_NR(nr, name, row) #name,
#include <scap/nr/x86_64.def>
#include <scap/nr/i386.def>
#undef SCAP_NR
#define SCAP_EVENT(nr, ID, name, text) name,
#include <scap/events.def>
#undef SCAP_EVENT
	"execve_enter", "execveat_enter",
};

/* syscall_999 */
static bool is_numbered_name(const struct scap__literal *lit)
{
	const size_t prefix = sizeof("syscall_") - 1;

	if (lit->n <= prefix || memcmp(lit->p, "syscall_", prefix))
		return false;
	for (size_t i = prefix; i < lit->n; i++)
		if ((lit->p[i] < '0' || lit->p[i] > '9') && !(lit->p[i] == '-' && i == prefix))
			return false;
	return true;
}

static int check_event_name(const struct scap__literal *lit, struct scap_error *err)
{
	struct scap__suggest s = { .word = lit->p, .n = lit->n };
	char shown[4 * SCAP__SHOWN_MAX + 8];
	const char *best;

	if (is_numbered_name(lit))
		return 0;
	for (size_t i = 0; i < sizeof(event_names) / sizeof(event_names[0]); i++) {
		if (strlen(event_names[i]) == lit->n && !memcmp(event_names[i], lit->p, lit->n))
			return 0;
		scap__suggest_try(&s, event_names[i]);
	}
	scap__shown(shown, lit->p, lit->n);
	best = scap__suggest_best(&s);
	if (best)
		return scap__syntax_error(err, lit->column,
					  "unknown event type '%s'; did you mean '%s'?", shown,
					  best);
	return scap__syntax_error(err, lit->column, "unknown event type '%s'", shown);
}

static int init_string(struct scap__constant *c, const struct scap_field *f,
		       const struct scap__literal *lit, struct scap_error *err)
{
	if (lit->n > STRING_MAX)
		return scap__syntax_error(err, lit->column,
					  "filter parameter too long: at most %d bytes",
					  STRING_MAX);
	if (f->def->type == SCAP__TYPE_STRING && memchr(lit->p, 0, lit->n))
		return scap__syntax_error(err, lit->column, "a text cannot hold a NUL byte");
	c->p = (const uint8_t *)lit->p;
	c->n = lit->n;
	if (!strcmp(f->def->name, "evt.type"))
		return check_event_name(lit, err);
	return 0;
}

int scap__constant_init(struct scap__constant *c, const struct scap_field *f,
			const struct scap__literal *lit, struct scap_error *err)
{
	switch (f->def->type) {
	case SCAP__TYPE_RELTIME:
		return init_duration(c, lit, err);
	case SCAP__TYPE_PORT:
		return init_port(c, lit, err);
	case SCAP__TYPE_BOOL:
		return init_bool(c, lit, err);
	case SCAP__TYPE_IP:
		return init_addr(c, lit, err);
	case SCAP__TYPE_STRING:
	case SCAP__TYPE_BYTES:
		return init_string(c, f, lit, err);
	default:
		return init_number(c, f->def->type, lit, err);
	}
}
