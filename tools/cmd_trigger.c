/* SPDX-License-Identifier: MIT */
/* scap trigger: asks a running scap watch for a capture. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "opts.h"
#include "watch_opts.h"

#define ANSWER_BYTES	65536
#define TAKE_S		5	/* for one that takes the request */
#define PATIENCE_MS	30000	/* for an answer that nothing is waited for */

enum { OPT_NAME = 1, OPT_WHY, OPT_LABEL, OPT_BEFORE, OPT_AFTER, OPT_WAIT, OPT_SOCKET, OPT_JSON };

static const struct opt trigger_opts[] = {
	{ OPT_NAME, 0, "name", "NAME", "of a trigger of the configuration; without it, the\n"
	  "one for requests by hand" },
	{ OPT_WHY, 0, "why", "TEXT", "a line that the capture keeps" },
	{ OPT_LABEL, 0, "label", "NAME=VALUE", "for the capture; again for more" },
	{ OPT_BEFORE, 0, "before", "TIME", "how much of the past: 30, 1.5m; else as configured" },
	{ OPT_AFTER, 0, "after", "TIME", "how much of what comes" },
	{ OPT_WAIT, 0, "wait", NULL, "until the capture is finished" },
	{ OPT_SOCKET, 0, "socket", "PATH", "of scap watch; else " WATCH_SOCKET },
	{ OPT_JSON, 'j', "json", NULL, "the answer as it came" },
	{ 0 }
};

static const char trigger_details[] =
	"Asks the scap watch that runs on this machine for a capture of what was and what\n"
	"comes, and prints the path that it has, or will have.\n";

static const char trigger_examples[] =
	"  scap trigger --why 'checkout hangs' --label ticket=4711 --wait\n"
	"  scap trigger --before 2m --after 5s\n";

struct trigger_request {
	const char *socket;
	json_t *body, *labels;
	bool wait, json;
};

/* ---- the command line ----------------------------------------------------------------------- */

/* The text came from the command line; JSON has UTF-8 only. */
static bool set_text(json_t *o, const char *option, const char *key, const char *text)
{
	if (json_object_set_new(o, key, json_string(text)) == 0)
		return true;
	tool_usage("option --%s: '%s' is not UTF-8", option, text);
	return false;
}

static bool set_label(json_t *labels, const char *arg)
{
	const char *equals = strchr(arg, '=');
	char *name;
	bool ok;

	if (!equals || equals == arg) {
		tool_usage("option --label: '%s' is not NAME=VALUE", arg);
		return false;
	}
	name = strndup(arg, (size_t)(equals - arg));
	if (name && json_object_get(labels, name)) {
		tool_usage("option --label: '%s' is given twice", name);
		free(name);
		return false;
	}
	ok = name && json_object_set_new(labels, name, json_string(equals + 1)) == 0;
	free(name);
	if (!ok)
		tool_usage("option --label: '%s' is not UTF-8", arg);
	return ok;
}

static bool set_duration(const struct opt_parser *p, json_t *o, const char *key)
{
	uint64_t ns;

	if (!opt_duration_ns(p, &ns))
		return false;
	return json_object_set_new(o, key, json_integer((json_int_t)ns)) == 0;
}

static bool apply(struct trigger_request *req, const struct opt_parser *p, int id)
{
	switch (id) {
	case OPT_NAME: return set_text(req->body, "name", "name", p->arg);
	case OPT_WHY: return set_text(req->body, "why", "why", p->arg);
	case OPT_LABEL: return set_label(req->labels, p->arg);
	case OPT_BEFORE: return set_duration(p, req->body, "before_ns");
	case OPT_AFTER: return set_duration(p, req->body, "after_ns");
	case OPT_WAIT: req->wait = true; return true;
	case OPT_SOCKET: req->socket = p->arg; return true;
	case OPT_JSON: req->json = true; return true;
	}
	tool_usage("'%s' is too much: scap trigger has options only", p->arg);
	return false;
}

static bool parse(struct trigger_request *req, const struct verb *verb, int argc, char **argv)
{
	struct opt_parser p;
	int id;

	opt_init(&p, verb, argc, argv);
	while ((id = opt_next(&p)) > 0)
		if (!apply(req, &p, id))
			return false;
	if (id < 0)
		return false;
	if (p.n_rest) {
		tool_usage("'%s' is too much: scap trigger has options only", p.rest[0]);
		return false;
	}
	if (req->wait)
		json_object_set_new(req->body, "wait", json_true());
	if (json_object_size(req->labels))
		json_object_set(req->body, "labels", req->labels);
	return true;
}

/* ---- the socket ----------------------------------------------------------------------------- */

/* The descriptor; -1: the message was printed. */
static int open_socket(const char *path)
{
	const struct timeval patience = { .tv_sec = TAKE_S };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	if (!*path || strlen(path) >= sizeof(un.sun_path)) {
		tool_error("'%s': a socket's path has 1 to %zu bytes", path,
			   sizeof(un.sun_path) - 1);
		return -1;
	}
	strcpy(un.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Of a recorder that hangs, with so many waiting already that it takes no more. */
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED)
		tool_error("%s: %s: is scap watch running? --socket names another path", path,
			   strerror(errno));
	else if (errno == EAGAIN)
		tool_error("%s: nobody took the request within %d s: does scap watch hang?", path,
			   TAKE_S);
	else if (errno == EACCES)
		tool_error("%s: %s: root may, and whom owner, group and mode of control: in the "
			   "configuration of scap watch let in", path, strerror(errno));
	else
		tool_error("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* One that is refused is told so without being read: it can't be sent, and there is an answer. */
static void send_line(int fd, const char *line)
{
	size_t n = strlen(line);

	while (n) {
		ssize_t done = send(fd, line, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		line += done;
		n -= (size_t)done;
	}
}

/* A line into buf, without its end. False: the message was printed. */
static bool receive_line(int fd, const char *path, bool wait, char *buf)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t used = 0;

	for (;;) {
		int ready = poll(&p, 1, wait ? -1 : PATIENCE_MS);
		ssize_t got;
		char *end;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready == 0) {
			tool_error("%s: no answer within %d s", path, PATIENCE_MS / 1000);
			return false;
		}
		got = recv(fd, buf + used, ANSWER_BYTES - 1 - used, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
		buf[used] = 0;
		end = strchr(buf, '\n');
		if (end) {
			*end = 0;
			return true;
		}
		if (used == ANSWER_BYTES - 1)
			break;
	}
	tool_error("%s: the connection ended before the answer: did scap watch end?", path);
	return false;
}

/* ---- the answer ----------------------------------------------------------------------------- */

static int report(const struct trigger_request *req, const char *line)
{
	json_error_t e;
	json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, &e);
	const char *file = json_string_value(json_object_get(o, "file"));
	const char *error = json_string_value(json_object_get(o, "error"));
	char shown[4 * 512 + 1];
	int rc = TOOL_OK;

	if (!json_is_boolean(json_object_get(o, "ok"))) {
		tool_error("%s: what answers there is not scap watch", req->socket);
		json_decref(o);
		return TOOL_FAILED;
	}
	if (req->json)
		printf("%s\n", line);
	if (!json_is_true(json_object_get(o, "ok"))) {
		rc = json_is_true(json_object_get(o, "refused")) ? TOOL_REFUSED : TOOL_FAILED;
		tool_error("%s%s", rc == TOOL_REFUSED ? "refused: " : "",
			   error ?: "no reason given");
	}
	/* One that was cut short has its file, too. */
	if (!req->json && file) {
		printf("%s\n", isatty(STDOUT_FILENO) ? tool_shown(file, shown, sizeof(shown)) :
		       file);
	}
	json_decref(o);
	return rc;
}

static int ask(const struct trigger_request *req)
{
	char *line = json_dumps(req->body, JSON_COMPACT);
	static char buf[ANSWER_BYTES];
	int fd, rc = TOOL_FAILED;

	if (!line) {
		tool_error("not enough memory");
		return TOOL_FAILED;
	}
	fd = open_socket(req->socket);
	if (fd >= 0) {
		send_line(fd, line);
		send_line(fd, "\n");
		if (receive_line(fd, req->socket, req->wait, buf))
			rc = report(req, buf);
		close(fd);
	}
	free(line);
	return rc;
}

static int trigger_run(int argc, char **argv);

const struct verb verb_trigger = {
	.name = "trigger",
	.summary = "ask scap watch for a capture of what just happened",
	.usage = "[OPTION...]",
	.details = trigger_details,
	.opts = trigger_opts,
	.examples = trigger_examples,
	.exits = "0 ok, 1 wrong usage, 2 failed, 3 refused: a cool-down, or a limit per hour",
	.run = trigger_run,
};

static int trigger_run(int argc, char **argv)
{
	struct trigger_request req = {
		.socket = WATCH_SOCKET,
		.body = json_pack("{s:s}", "trigger", "hand"),
		.labels = json_object(),
	};
	int rc = TOOL_FAILED;

	if (!req.body || !req.labels)
		tool_error("not enough memory");
	else
		rc = parse(&req, &verb_trigger, argc, argv) ? ask(&req) : TOOL_USAGE;
	json_decref(req.body);
	json_decref(req.labels);
	return rc;
}
