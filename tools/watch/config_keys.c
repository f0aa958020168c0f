/* SPDX-License-Identifier: MIT */
/* The keys of the configuration: a table, and what a text means to each kind of them. */
#include "watch/config_part.h"

#include <scap/filter.h>
#include <scap/ring.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "opts.h"

#define K (1ull << 10)
#define M (1ull << 20)
#define T (1ull << 40)
#define S 1000000000ull
#define DAY (86400 * S)
#define PATH_MOST 4095
#define SOCKET_MOST 107	/* sun_path */
#define TIME_MOST (1000000000 * S - S)	/* what duration_parse_ns() takes */
#define BIG (1ull << 60)

#define C(member) offsetof(struct watch_config, member)

const struct key config_keys[] = {
	{ "recording.memory", KEY_SIZE, C(memory), SCAP_RING_MIN_BYTES, T, KEY_FIXED },
	{ "recording.ring", KEY_TEXT, C(ring), 1, PATH_MOST, KEY_FIXED },
	{ "recording.kernel-ring", KEY_RING, C(kernel_ring), 64 * K, 1024 * M, KEY_FIXED },
	{ "recording.snaplen", KEY_SNAPLEN, 0, 0, SNAPLEN_MOST, KEY_FIXED },
	{ "recording.syscalls", KEY_CALLS, C(calls), 0, 0, KEY_FIXED | KEY_NONE },
	{ "recording.cgroups", KEY_WORDS, C(cgroups), 0, 16, KEY_FIXED | KEY_NONE },
	{ "captures.directory", KEY_TEXT, C(dir), 1, PATH_MOST, KEY_FIXED },
	{ "captures.keep.size", KEY_SIZE, C(keep_bytes), 0, BIG, 0 },
	{ "captures.keep.age", KEY_DURATION, C(keep_age_ns), 0, TIME_MOST, 0 },
	{ "captures.keep.count", KEY_NUMBER, C(keep_count), 0, UINT32_MAX, 0 },
	{ "captures.hook.command", KEY_WORDS, C(hook), 0, 64, KEY_NONE },
	{ "captures.hook.timeout", KEY_DURATION, C(hook_timeout_ns), S / 10, DAY, 0 },
	{ "captures.hook.parallel", KEY_NUMBER, C(hook_parallel), 1, 64, 0 },
	{ "control.socket", KEY_TEXT, C(socket), 1, SOCKET_MOST, KEY_FIXED },
	{ "control.owner", KEY_TEXT, C(socket_owner), 1, 255, KEY_FIXED | KEY_NONE },
	{ "control.group", KEY_TEXT, C(socket_group), 1, 255, KEY_FIXED | KEY_NONE },
	{ "control.mode", KEY_MODE, C(socket_mode), 0, 0777, KEY_FIXED },
	{ "http.listen", KEY_LISTEN, C(listen), 0, 0, KEY_FIXED | KEY_NONE },
	{ "http.token-file", KEY_TEXT, C(token_file), 1, PATH_MOST, KEY_FIXED | KEY_NONE },
	{ "http.tls.cert", KEY_TEXT, C(tls_cert), 1, PATH_MOST, KEY_FIXED | KEY_NONE },
	{ "http.tls.key", KEY_TEXT, C(tls_key), 1, PATH_MOST, KEY_FIXED | KEY_NONE },
	{ "http.metrics-token", KEY_BOOL, C(metrics_need_token), 0, 0, KEY_FIXED },
	{ "metrics.signals", KEY_BOOL, C(signals), 0, 0, KEY_FIXED },
	{ "metrics.programs", KEY_NUMBER, C(max_programs), 1, 65536, KEY_FIXED },
	{ "privileges.user", KEY_TEXT, C(user), 1, 255, KEY_FIXED | KEY_NONE },
	{ "privileges.seccomp", KEY_BOOL, C(seccomp), 0, 0, KEY_FIXED },
	{ "before", KEY_DURATION, C(before_ns), 0, DAY, 0 },
	{ "after", KEY_DURATION, C(after_ns), 0, DAY, 0 },
	{ 0 }
};

#define R(member) offsetof(struct trigger_reading, member)

const struct key trigger_keys[] = {
	{ "name", KEY_TEXT, R(t.name), 1, 255, 0 },
	{ "on", KEY_SOURCE, R(t.source), 0, 0, 0 },
	{ "builtin", KEY_BUILTIN, R(builtin), 0, 0, KEY_NONE },
	{ "filter", KEY_FILTER, R(t.filter), 0, 0, KEY_NONE },
	{ "count", KEY_NUMBER, R(t.count), 1, 1000000000, 0 },
	{ "within", KEY_DURATION, R(t.within_ns), 0, DAY, 0 },
	{ "before", KEY_DURATION, R(t.before_ns), 0, DAY, 0 },
	{ "after", KEY_DURATION, R(t.after_ns), 0, DAY, 0 },
	{ "keep", KEY_FILTER, R(t.keep), 0, 0, KEY_NONE },
	{ "max-size", KEY_SIZE, R(t.max_bytes), 0, BIG, 0 },
	{ "cool-down", KEY_DURATION, R(t.cooldown_ns), 0, 365 * DAY, 0 },
	{ "per-hour", KEY_NUMBER, R(t.per_hour), 0, 1000000, 0 },
	{ 0 }
};

const char *const trigger_sources[3] = { "hand", "alert", "event" };

const struct builtin config_builtins[] = {
	{ "http-5xx", true, NULL },
	/* Programs that were asked to end did not crash. */
	{ "crash", false, "evt.type=procexit and evt.arg.process_status startswith \"killed(\" and "
	  "not evt.arg.process_status in (\"killed(SIGTERM)\", \"killed(SIGINT)\", "
	  "\"killed(SIGHUP)\", \"killed(SIGPIPE)\")" },
	{ "oom", false, "evt.type=oomkill" },
	{ 0 }
};

/* ---- words ---------------------------------------------------------------------------------- */

uint32_t words_count(char *const *words)
{
	uint32_t n = 0;

	while (words && words[n])
		n++;
	return n;
}

void words_free(char **words)
{
	for (char **w = words; w && *w; w++)
		free(*w);
	free(words);
}

bool words_add(char ***words, const char *word)
{
	uint32_t n = words_count(*words);
	char *copy = strdup(word);
	char **more = copy ? realloc(*words, (n + 2) * sizeof(*more)) : NULL;

	if (!more) {
		free(copy);
		return false;
	}
	more[n] = copy;
	more[n + 1] = NULL;
	*words = more;
	return true;
}

/* ---- values of one text --------------------------------------------------------------------- */

#define IS_NOT(...) (snprintf(why, cap, __VA_ARGS__), false)

static bool set_string(char **slot, const char *text, char *why, size_t cap)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return IS_NOT("no memory");
	free(*slot);
	*slot = copy;
	return true;
}

/* The largest unit that has no fraction. */
const char *show_size(uint64_t v, char buf[SHOW_BYTES])
{
	static const char *const suffixes[] = { "", "K", "M", "G", "T" };
	unsigned i = 0;

	for (; v && !(v % 1024) && i < 4; i++)
		v /= 1024;
	snprintf(buf, SHOW_BYTES, "%llu%s", (unsigned long long)v, suffixes[i]);
	return buf;
}

const char *show_duration(uint64_t ns, char buf[SHOW_BYTES])
{
	static const struct { uint64_t ns; const char *unit; } units[] = {
		{ DAY, "d" }, { 3600 * S, "h" }, { 60 * S, "m" }, { S, "s" }, { S / 1000, "ms" },
	};

	for (unsigned i = 0; ns && i < sizeof(units) / sizeof(*units); i++)
		if (!(ns % units[i].ns)) {
			snprintf(buf, SHOW_BYTES, "%llu%s", (unsigned long long)(ns / units[i].ns),
				 units[i].unit);
			return buf;
		}
	snprintf(buf, SHOW_BYTES, ns ? "%llu.%09llus" : "%llus", (unsigned long long)(ns / S),
		 (unsigned long long)(ns % S));
	return buf;
}

static const char *show_bound(const struct key *key, uint64_t v, char buf[SHOW_BYTES])
{
	if (key->kind == KEY_DURATION)
		return show_duration(v, buf);
	if (key->kind == KEY_SIZE || key->kind == KEY_RING)
		return show_size(v, buf);
	snprintf(buf, SHOW_BYTES, "%llu", (unsigned long long)v);
	return buf;
}

static bool in_bounds(const struct key *key, const char *text, uint64_t v, char *why, size_t cap)
{
	char min[SHOW_BYTES], max[SHOW_BYTES];

	if (v >= key->min && v <= key->max)
		return true;
	return IS_NOT("'%.40s' is not between %s and %s", text, show_bound(key, key->min, min),
		      show_bound(key, key->max, max));
}

static bool parse_number(const char *text, unsigned base, uint64_t *ret)
{
	uint64_t v = 0;

	if (!*text || strlen(text) > 12)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text >= (char)('0' + base))
			return false;
		v = v * base + (unsigned)(*text - '0');
	}
	*ret = v;
	return true;
}

static bool set_size(uint64_t *slot, const struct key *key, const char *text, char *why, size_t cap)
{
	uint64_t v;

	if (!size_parse(text, &v))
		return IS_NOT("'%.40s' is not %s", text, SIZE_WANTED);
	if (key->kind == KEY_RING && !v) {
		*slot = v;
		return true;
	}
	if (!in_bounds(key, text, v, why, cap))
		return false;
	if (key->kind == KEY_RING && (v & (v - 1)))
		return IS_NOT("'%.40s' is not a power of two", text);
	*slot = v;
	return true;
}

static bool set_duration(uint64_t *slot, const struct key *key, const char *text, char *why,
			 size_t cap)
{
	uint64_t v;

	if (!duration_parse_ns(text, &v))
		return IS_NOT("'%.40s' is not %s", text, DURATION_WANTED);
	if (!in_bounds(key, text, v, why, cap))
		return false;
	*slot = v;
	return true;
}

static bool set_number(uint32_t *slot, const struct key *key, const char *text, char *why,
		       size_t cap)
{
	uint64_t v;

	if (!parse_number(text, 10, &v))
		return IS_NOT("'%.40s' is not a whole number", text);
	if (!in_bounds(key, text, v, why, cap))
		return false;
	*slot = (uint32_t)v;
	return true;
}

static bool set_mode(uint32_t *slot, const char *text, char *why, size_t cap)
{
	uint64_t v;

	if (!parse_number(text, 8, &v) || v > 0777)
		return IS_NOT("'%.40s' is not a mode in octal such as 0660", text);
	*slot = (uint32_t)v;
	return true;
}

static bool set_bool(bool *slot, const char *text, char *why, size_t cap)
{
	if (strcmp(text, "true") && strcmp(text, "false"))
		return IS_NOT("'%.40s' is not true or false", text);
	*slot = text[0] == 't';
	return true;
}

static bool set_text(char **slot, const struct key *key, const char *text, char *why, size_t cap)
{
	if (strlen(text) < key->min)
		return IS_NOT("'' is not a name");
	if (strlen(text) > key->max)
		return IS_NOT("'%.40s...' is longer than %llu bytes", text,
			      (unsigned long long)key->max);
	if (!tool_is_plain(text))
		return IS_NOT("'%.40s' has characters that are no text", text);
	return set_string(slot, text, why, cap);
}

static bool is_port(const char *text)
{
	uint64_t v;

	return strlen(text) <= 5 && parse_number(text, 10, &v) && v <= 65535;
}

static bool is_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	struct in6_addr addr;
	size_t n = colon ? (size_t)(colon - text) : 0;

	if (!strncmp(text, "unix:/", 6))
		return strlen(text + 5) <= SOCKET_MOST;
	if (!n || n >= sizeof(host) || !is_port(colon + 1))
		return false;
	memcpy(host, text, n);
	host[n] = 0;
	if (host[0] != '[')
		return inet_pton(AF_INET, host, &addr) == 1;
	if (host[n - 1] != ']')
		return false;
	host[n - 1] = 0;
	return inet_pton(AF_INET6, host + 1, &addr) == 1;
}

static bool set_listen(char **slot, const char *text, char *why, size_t cap)
{
	if (!is_address(text) || !tool_is_plain(text))
		return IS_NOT("'%.40s' is not an address such as 127.0.0.1:9466, [::1]:9466 or "
			      "unix:/run/scap/http.sock", text);
	return set_string(slot, text, why, cap);
}

/* A filter knows which calls there are, and which name is near. */
static bool check_call(const char *name, size_t n, char *why, size_t cap)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
	struct scap_filter *filter;
	struct scap_error err;
	char text[64];

	if (!n || n > 40 || strspn(name, letters) < n)
		return IS_NOT("'%.*s' is not the name of a system call", n > 40 ? 40 : (int)n,
			      name);
	snprintf(text, sizeof(text), "evt.type=%.*s", (int)n, name);
	if (scap_filter_compile(text, &filter, &err) < 0)
		return IS_NOT("%s", err.text);
	scap_filter_free(filter);
	return true;
}

static bool set_calls(char **slot, const char *text, char *why, size_t cap)
{
	for (const char *p = text;; p++) {
		size_t n = strcspn(p, ",");

		if (!check_call(p, n, why, cap))
			return false;
		p += n;
		if (!*p)
			return set_string(slot, text, why, cap);
	}
}

static bool set_filter(char **slot, const char *text, char *why, size_t cap)
{
	struct scap_filter *filter;
	struct scap_error err;

	if (scap_filter_compile(text, &filter, &err) < 0) {
		if (err.offset == SCAP_NO_OFFSET)
			return IS_NOT("%s", err.text);
		return IS_NOT("at column %llu of its text: %s", (unsigned long long)err.offset,
			      err.text);
	}
	scap_filter_free(filter);
	return set_string(slot, text, why, cap);
}

static bool set_snaplen(struct watch_config *c, const struct key *key, const char *text, char *why,
			size_t cap)
{
	const struct key as_size = { .kind = KEY_SIZE, .max = key->max };
	uint64_t v;

	if (!set_size(&v, &as_size, text, why, cap))
		return false;
	c->snaplen = (uint32_t)v;
	return true;
}

static bool set_source(enum trigger_source *slot, const char *text, char *why, size_t cap)
{
	for (unsigned i = 0; i < 3; i++)
		if (!strcmp(text, trigger_sources[i])) {
			*slot = (enum trigger_source)i;
			return true;
		}
	return IS_NOT("'%.40s' is not hand, alert or event", text);
}

static bool set_builtin(char **slot, const char *text, char *why, size_t cap)
{
	for (const struct builtin *b = config_builtins; b->name; b++)
		if (!strcmp(text, b->name))
			return set_string(slot, text, why, cap);
	return IS_NOT("'%.40s' is not http-5xx, crash or oom", text);
}

bool key_set(void *base, const struct key *key, const char *text, char *why, size_t cap)
{
	void *slot = (char *)base + key->offset;

	if (!text) {
		key_clear(base, key);
		return true;
	}
	switch (key->kind) {
	case KEY_SIZE:
	case KEY_RING:
		return set_size(slot, key, text, why, cap);
	case KEY_DURATION:
		return set_duration(slot, key, text, why, cap);
	case KEY_NUMBER:
		return set_number(slot, key, text, why, cap);
	case KEY_BOOL:
		return set_bool(slot, text, why, cap);
	case KEY_MODE:
		return set_mode(slot, text, why, cap);
	case KEY_TEXT:
		return set_text(slot, key, text, why, cap);
	case KEY_LISTEN:
		return set_listen(slot, text, why, cap);
	case KEY_CALLS:
		return set_calls(slot, text, why, cap);
	case KEY_FILTER:
		return set_filter(slot, text, why, cap);
	case KEY_SNAPLEN:
		return set_snaplen(base, key, text, why, cap);
	case KEY_SOURCE:
		return set_source(slot, text, why, cap);
	case KEY_BUILTIN:
		return set_builtin(slot, text, why, cap);
	case KEY_WORDS:
		break;
	}
	return IS_NOT("'%.40s' is not a list", text);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static bool holds_string(enum key_kind kind)
{
	return kind == KEY_TEXT || kind == KEY_LISTEN || kind == KEY_CALLS || kind == KEY_FILTER ||
	       kind == KEY_BUILTIN;
}

void key_clear(void *base, const struct key *key)
{
	void *slot = (char *)base + key->offset;

	if (holds_string(key->kind)) {
		free(*(char **)slot);
		*(char **)slot = NULL;
	} else if (key->kind == KEY_WORDS) {
		words_free(*(char ***)slot);
		*(char ***)slot = NULL;
	} else if (key->kind == KEY_SNAPLEN) {
		((struct watch_config *)base)->snaplen = UINT32_MAX;
	}
}

static bool words_equal(char *const *a, char *const *b)
{
	uint32_t n = words_count(a);

	if (n != words_count(b))
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(a[i], b[i]))
			return false;
	return true;
}

bool key_equal(const void *a, const void *b, const struct key *key)
{
	const void *x = (const char *)a + key->offset, *y = (const char *)b + key->offset;

	if (key->kind == KEY_SNAPLEN) {
		const struct watch_config *c = a, *d = b;

		return c->snaplen == d->snaplen &&
		       !memcmp(c->snaplens, d->snaplens, sizeof(c->snaplens));
	}
	if (holds_string(key->kind)) {
		const char *s = *(char *const *)x, *t = *(char *const *)y;

		return s == t || (s && t && !strcmp(s, t));
	}
	if (key->kind == KEY_WORDS)
		return words_equal(*(char **const *)x, *(char **const *)y);
	if (key->kind == KEY_BOOL)
		return *(const bool *)x == *(const bool *)y;
	if (key->kind == KEY_SIZE || key->kind == KEY_RING || key->kind == KEY_DURATION)
		return *(const uint64_t *)x == *(const uint64_t *)y;
	return *(const uint32_t *)x == *(const uint32_t *)y;
}

const struct key *key_find(const struct key *table, const char *path)
{
	for (; table->path; table++)
		if (!strcmp(table->path, path))
			return table;
	return NULL;
}
