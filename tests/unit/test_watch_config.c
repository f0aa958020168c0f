/* SPDX-License-Identifier: MIT */
/* The configuration of scap watch: defaults, every key, the way out and in again. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <scap/filter.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/event.h"
#include "watch/config.h"
#include "watch/options.h"

#define S 1000000000ull

static struct watch_config config;
static struct config_error error;

static bool parse(struct watch_config *c, const char *text)
{
	memset(&error, 0, sizeof(error));
	config_init(c);
	return config_parse(c, text, strlen(text), &error);
}

static char *print(const struct watch_config *c)
{
	char *text;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	config_print(c, out);
	fclose(out);
	return text;
}

static void expect_error(const char *text, unsigned line, unsigned column, const char *what)
{
	bool ok = parse(&config, text) && config_check(&config, &error);

	cr_expect(!ok, "%s", text);
	cr_expect_str_eq(error.text, what);
	cr_expect(error.line == line && error.column == column, "%s: %u:%u", what, error.line,
		  error.column);
	config_fini(&config);
}

static const struct trigger_config *find(const struct watch_config *c, const char *name)
{
	for (uint32_t i = 0; i < c->n_triggers; i++)
		if (!strcmp(c->triggers[i].name, name))
			return &c->triggers[i];
	cr_assert(false, "no trigger %s", name);
	return NULL;
}

Test(watch_config, defaults)
{
	const struct trigger_config *hand;

	cr_assert(parse(&config, ""));
	cr_expect_eq(config.memory, 256 << 20);
	cr_expect_str_eq(config.ring, "/run/scap/ring");
	cr_expect_eq(config.kernel_ring, 0);
	cr_expect_eq(config.snaplen, UINT32_MAX);
	cr_expect_str_eq(config.dir, "/var/lib/scap");
	cr_expect_eq(config.keep_bytes, 2ull << 30);
	cr_expect_eq(config.keep_age_ns, 30 * 86400 * S);
	cr_expect_eq(config.keep_count, 1000);
	cr_expect_null(config.hook);
	cr_expect_eq(config.hook_timeout_ns, 60 * S);
	cr_expect_eq(config.hook_parallel, 2);
	cr_expect_str_eq(config.socket, "/run/scap/control");
	cr_expect_eq(config.socket_mode, 0660);
	cr_expect_null(config.listen);
	cr_expect_null(config.user);
	cr_expect(config.seccomp && config.signals && !config.metrics_need_token);
	cr_expect_eq(config.max_programs, 256);
	cr_assert_eq(config.n_triggers, 1);
	hand = &config.triggers[0];
	cr_expect_str_eq(hand->name, "hand");
	cr_expect(hand->source == TRIGGER_HAND && !hand->line);
	cr_expect(hand->before_ns == 30 * S && hand->after_ns == 10 * S);
	cr_expect(!hand->cooldown_ns && !hand->per_hour && !hand->max_bytes && !hand->keep);
	config_fini(&config);
}

static const char all_keys[] =
	"recording:\n"
	"  memory: 64M\n"
	"  ring: /dev/shm/ring\n"
	"  kernel-ring: 1M\n"
	"  snaplen: {default: 100, file: 0, socket: 4K}\n"
	"  syscalls: [open, openat]\n"
	"  cgroups: [/a, '/b c']\n"
	"captures:\n"
	"  directory: /srv/scap\n"
	"  keep: {size: 10G, age: 7d, count: 20}\n"
	"  hook:\n"
	"    command: [/usr/bin/logger, -t, \"a \\\"b\\\"\\n\\xe9 \\u2028 b\", '']\n"
	"    timeout: 5s\n"
	"    parallel: 3\n"
	"control: {socket: /run/s, owner: root, group: adm, mode: 0600}\n"
	"http:\n"
	"  listen: 127.0.0.1:9466\n"
	"  token-file: /etc/scap/token\n"
	"  tls: {cert: /c, key: /k}\n"
	"  metrics-token: true\n"
	"metrics: {signals: false, programs: 10}\n"
	"privileges: {user: scap, seccomp: false}\n"
	"triggers:\n"
	"  - name: refused\n"
	"    filter: >-\n"
	"      evt.type=connect and\n"
	"      evt.res=ECONNREFUSED\n"
	"    count: 20\n"
	"    within: 10s\n"
	"    before: 1m\n"
	"    after: 1.5s\n"
	"    keep: proc.name=\"a\\x22b\"\n"
	"    max-size: 100M\n"
	"    cool-down: 5m\n"
	"    per-hour: 6\n"
	"  - builtin: http-5xx\n"
	"    filter: proc.name=shop\n"
	"  - {builtin: crash, filter: proc.name=shop, name: shop-crash}\n"
	"  - builtin: oom\n"
	"  - {on: hand, name: manual, after: 0, cool-down: 1}\n"
	"  - on: alert\n"
	"    per-hour: 5\n"
	"before: 20\n"
	"after: 250ms\n";

Test(watch_config, recording_and_captures)
{
	cr_assert(parse(&config, all_keys), "%u:%u: %s", error.line, error.column, error.text);
	cr_expect_eq(config.memory, 64 << 20);
	cr_expect_str_eq(config.ring, "/dev/shm/ring");
	cr_expect_eq(config.kernel_ring, 1 << 20);
	cr_expect_eq(config.snaplen, 100);
	cr_expect_arr_eq(config.snaplens, ((uint32_t[5]){ 1, 0, 4097, 0, 0 }), 20);
	cr_expect_str_eq(config.calls, "open,openat");
	cr_assert_eq(config.n_cgroups, 2);
	cr_expect_str_eq(config.cgroups[1], "/b c");
	cr_expect_str_eq(config.dir, "/srv/scap");
	cr_expect_eq(config.keep_bytes, 10ull << 30);
	cr_expect_eq(config.keep_age_ns, 7 * 86400 * S);
	cr_expect_eq(config.keep_count, 20);
	cr_expect_str_eq(config.hook[0], "/usr/bin/logger");
	cr_expect_str_eq(config.hook[2], "a \"b\"\n\u00e9 \u2028 b");
	cr_expect_str_eq(config.hook[3], "");
	cr_expect_null(config.hook[4]);
	cr_expect_eq(config.hook_timeout_ns, 5 * S);
	cr_expect_eq(config.hook_parallel, 3);
	config_fini(&config);
}

Test(watch_config, servers_and_privileges)
{
	cr_assert(parse(&config, all_keys));
	cr_expect_str_eq(config.socket, "/run/s");
	cr_expect_str_eq(config.socket_owner, "root");
	cr_expect_str_eq(config.socket_group, "adm");
	cr_expect_eq(config.socket_mode, 0600);
	cr_expect_str_eq(config.listen, "127.0.0.1:9466");
	cr_expect_str_eq(config.token_file, "/etc/scap/token");
	cr_expect_str_eq(config.tls_cert, "/c");
	cr_expect_str_eq(config.tls_key, "/k");
	cr_expect(config.metrics_need_token && !config.signals && !config.seccomp);
	cr_expect_eq(config.max_programs, 10);
	cr_expect_str_eq(config.user, "scap");
	cr_expect(config_check(&config, &error), "%s", error.text);
	config_fini(&config);
}

Test(watch_config, triggers)
{
	const struct trigger_config *t;

	cr_assert(parse(&config, all_keys));
	cr_expect_eq(config.n_triggers, 6);
	t = find(&config, "refused");
	cr_expect_str_eq(t->filter, "evt.type=connect and evt.res=ECONNREFUSED");
	cr_expect(t->source == TRIGGER_EVENT && !t->http_5xx && t->line == 24);
	cr_expect(t->count == 20 && t->within_ns == 10 * S);
	cr_expect(t->before_ns == 60 * S && t->after_ns == 3 * S / 2);
	cr_expect_str_eq(t->keep, "proc.name=\"a\\x22b\"");
	cr_expect(t->max_bytes == 100 << 20 && t->cooldown_ns == 300 * S && t->per_hour == 6);
	cr_expect_str_eq(t->text, "name: refused, on: event, filter: \"evt.type=connect and "
			 "evt.res=ECONNREFUSED\", count: 20, within: 10s, before: 1m, "
			 "after: 1500ms, keep: \"proc.name=\\\"a\\\\x22b\\\"\", "
			 "max-size: 100M, cool-down: 5m, per-hour: 6");
	t = find(&config, "http-5xx");
	cr_expect(t->http_5xx && t->before_ns == 20 * S && t->after_ns == S / 4);
	cr_expect(t->count == 1 && t->cooldown_ns == 60 * S && t->per_hour == 60);
	cr_expect_str_eq(t->filter, "proc.name=shop");
	t = find(&config, "shop-crash");
	cr_expect(!t->http_5xx && strstr(t->filter, ") and (proc.name=shop)"));
	cr_expect_str_eq(find(&config, "oom")->filter, "evt.type=oomkill");
	t = find(&config, "manual");
	cr_expect(t->source == TRIGGER_HAND && !t->after_ns && t->cooldown_ns == S);
	cr_expect(find(&config, "alert")->source == TRIGGER_ALERT);
	config_fini(&config);
}

/* A status as of wait(2), of a process or of one of its threads. */
static bool is_crash(uint32_t status, bool last_thread)
{
	struct scap_event ev = { .type = SCAP_REC_EXIT };
	struct scap_filter *filter;
	bool matches;

	cr_assert_eq(scap_filter_compile(find(&config, "crash")->filter, &filter, NULL), 0);
	ev.u.exit.status = ev.u.exit.group_status = status;
	ev.u.exit.group_dead = last_thread;
	matches = scap_filter_match(filter, &ev);
	scap_filter_free(filter);
	return matches;
}

Test(watch_config, what_a_crash_is)
{
	cr_assert(parse(&config, "triggers: [builtin: crash]"));
	cr_expect(is_crash(11, true));
	cr_expect(is_crash(11 | 0x80, true), "with a core");
	cr_expect(is_crash(9, true));
	cr_expect(!is_crash(11, false), "its other threads");
	cr_expect(!is_crash(0x100, true));
	for (unsigned i = 0; i < 4; i++)
		cr_expect(!is_crash((uint32_t[]){ 15, 2, 1, 13 }[i], true), "asked to end");
	config_fini(&config);
}

/* What is printed means the same, and so is printed the same. */
Test(watch_config, out_and_in_again)
{
	const char *const texts[] = { "", all_keys, "recording: {snaplen: {tty: 5}}\n"
				      "http: {listen: 'unix:/run/h', tls: ~}\nbefore: 1.0000001" };
	struct watch_config again;
	char *text, *text_again;

	for (unsigned i = 0; i < 3; i++) {
		cr_assert(parse(&config, texts[i]), "%s", error.text);
		text = print(&config);
		cr_assert(parse(&again, text), "%u: %s\n%s", error.line, error.text, text);
		text_again = print(&again);
		cr_expect_str_eq(text_again, text);
		cr_expect_null(config_fixed(&config, &again));
		for (uint32_t j = 0; j < config.n_triggers; j++)
			cr_expect_str_eq(config.triggers[j].text, again.triggers[j].text);
		free(text);
		free(text_again);
		config_fini(&config);
		config_fini(&again);
	}
}

Test(watch_config, fixed_while_it_runs)
{
	static const struct { const char *text, *key; } changes[] = {
		{ "recording: {memory: 128M}", "recording.memory" },
		{ "recording: {ring: /r}", "recording.ring" },
		{ "recording: {kernel-ring: 1M}", "recording.kernel-ring" },
		{ "recording: {snaplen: 5}", "recording.snaplen" },
		{ "recording: {snaplen: {pipe: 5}}", "recording.snaplen" },
		{ "recording: {syscalls: [read]}", "recording.syscalls" },
		{ "recording: {cgroups: [/a]}", "recording.cgroups" },
		{ "captures: {directory: /d}", "captures.directory" },
		{ "control: {mode: 0600}", "control.mode" },
		{ "http: {listen: '[::1]:0'}", "http.listen" },
		{ "metrics: {signals: false}", "metrics.signals" },
		{ "privileges: {user: x}", "privileges.user" },
		{ "captures: {keep: {size: 1}, hook: {command: [a], timeout: 1}}", NULL },
		{ "before: 1\nafter: 1\ntriggers: [builtin: crash, on: alert]", NULL },
	};
	struct watch_config to;

	cr_assert(parse(&config, ""));
	for (unsigned i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		const char *key;

		cr_assert(parse(&to, changes[i].text), "%s: %s", changes[i].text, error.text);
		key = config_fixed(&config, &to);
		cr_expect(key == changes[i].key || (key && changes[i].key &&
			  !strcmp(key, changes[i].key)), "%s: %s", changes[i].text, key ?: "none");
		config_fini(&to);
	}
	config_fini(&config);
}

Test(watch_config, bounds)
{
	static char text[(1 << 20) + 2], deep[] = "before: [[[[[[[[[[[[[[[[";

	memset(text, ' ', sizeof(text) - 1);
	expect_error(text, 0, 0, "more than 1 MiB is no configuration");
	expect_error(deep, 1, 16, "lists and maps lie too deep in each other");
	strcpy(text, "triggers: [");
	for (unsigned i = 0; i < 65536; i++)
		strcat(text + 2 * i, "a,");
	expect_error(text, 1, 131078, "too many values");
	strcpy(text, "{");
	for (unsigned i = 0; i < 65; i++)
		sprintf(text + strlen(text), "k%02u: 1, ", i);
	expect_error(text, 1, 1 + 64 * 8 + 1, "a map of more than 64 keys");
	strcpy(text, "triggers:\n");
	for (unsigned i = 0; i < CONFIG_TRIGGERS_MOST + 1; i++)
		sprintf(text + strlen(text), "- {name: t%u, filter: evt.type=open}\n", i);
	expect_error(text, 1026, 3, "more than 1024 triggers, or no memory");
}

Test(watch_config, a_nul)
{
	memset(&error, 0, sizeof(error));
	config_init(&config);
	cr_expect(!config_parse(&config, "before: 1\nafter: 2\0", 19, &error));
	cr_expect(error.line == 2 && error.column == 9);
	cr_expect_str_eq(error.text, "expected text, not a control character (byte 0x00)");
	config_fini(&config);
}

static bool options(struct watch_config *c, char **argv)
{
	struct watch_options o;
	int argc = 0;

	while (argv[argc])
		argc++;
	return options_read(argc, argv, &o, c);
}

#define OPTIONS(...) options(&config, (char *[]){ "watch", __VA_ARGS__, NULL })

/* The command line goes before the file, wherever -c stands. */
Test(watch_config, command_line_wins)
{
	char path[] = "/tmp/scap-config-XXXXXX";
	int fd = mkstemp(path);
	const struct trigger_config *t;

	cr_assert(fd >= 0 && write(fd, all_keys, sizeof(all_keys) - 1) > 0);
	close(fd);
	cr_assert(OPTIONS("--memory", "32M", "-c", path, "--before=1m", "--cgroup", "/x", "-t",
			  "refused=evt.type=read", "--no-seccomp", "-s", "tty=7"));
	unlink(path);
	cr_expect_eq(config.memory, 32 << 20);
	cr_expect_str_eq(config.dir, "/srv/scap");
	cr_expect_eq(config.n_cgroups, 1);
	cr_expect_str_eq(config.cgroups[0], "/x");
	cr_expect(config.snaplen == 100 && config.snaplens[2] == 4097 && config.snaplens[3] == 8);
	cr_expect_eq(config.n_triggers, 6);
	t = find(&config, "refused");
	cr_expect_str_eq(t->filter, "evt.type=read");
	cr_expect(t->count == 1 && t->before_ns == 60 * S && t->after_ns == S / 4 && !t->line);
	/* The file's own word about one trigger stays. */
	cr_expect_eq(find(&config, "manual")->after_ns, 0);
	cr_expect_eq(find(&config, "manual")->before_ns, 60 * S);
	config_fini(&config);
}

Test(watch_config, triggers_of_the_command_line)
{
	cr_assert(OPTIONS("--trigger", "http-5xx", "--trigger=crash", "--listen", "[::1]:0"));
	cr_expect_eq(config.n_triggers, 4);
	cr_expect(find(&config, "http-5xx")->http_5xx);
	cr_expect(!find(&config, "http-5xx")->filter);
	cr_expect(find(&config, "crash")->filter);
	cr_expect(find(&config, "alert")->source == TRIGGER_ALERT);
	cr_expect(find(&config, "hand")->source == TRIGGER_HAND);
	config_fini(&config);
}

/* What SIGHUP must not read: it would wait, or find nothing, which is a configuration, too. */
Test(watch_config, read_once)
{
	char dir[] = "/tmp/scap-config-XXXXXX", path[64];
	char *argv[] = { (char *)"watch", (char *)"-c", (char *)"-", NULL };

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/pipe", dir);
	cr_assert(options_again(1, argv));
	cr_assert_not(options_again(3, argv));
	argv[2] = path;
	cr_assert(options_again(3, argv), "what is missing is told of when it is opened");
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_not(options_again(3, argv));
	unlink(path);
	close(creat(path, 0600));
	cr_assert(options_again(3, argv));
	unlink(path);
	rmdir(dir);
}
