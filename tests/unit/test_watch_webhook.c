/* SPDX-License-Identifier: MIT */
/* Bodies that ask for captures. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "watch/webhook.h"

/* As Alertmanager 0.25 sends it. */
static const char real[] =
	"{\"receiver\":\"scap\",\"status\":\"firing\",\"alerts\":[{\"status\":\"firing\","
	"\"labels\":{\"alertname\":\"ShopErrors\",\"instance\":\"127.0.0.1:9466\",\"job\":\"scap\","
	"\"severity\":\"page\"},\"annotations\":{\"description\":\"5xx for 10 s\",\"summary\":"
	"\"The shop\\nfails\"},\"startsAt\":\"2026-11-26T20:49:00.123Z\",\"endsAt\":"
	"\"0001-01-01T00:00:00Z\",\"generatorURL\":\"http://host:9090/graph?g0.expr=up\","
	"\"fingerprint\":\"c5b9e6e9d4a1f7b2\"},{\"status\":\"resolved\",\"labels\":{\"alertname\":"
	"\"Old\"},\"annotations\":{},\"startsAt\":\"2026-11-26T20:40:00Z\",\"endsAt\":"
	"\"2026-11-26T20:48:00Z\",\"generatorURL\":\"\",\"fingerprint\":\"00\"}],\"groupLabels\":{"
	"\"alertname\":\"ShopErrors\"},\"commonLabels\":{\"job\":\"scap\"},"
	"\"commonAnnotations\":{},"
	"\"externalURL\":\"http://host:9093\",\"version\":\"4\",\"groupKey\":"
	"\"{}:{alertname=\\\"ShopErrors\\\"}\",\"truncatedAlerts\":0}";

static struct webhook w;
static char err[300];

typedef int (*form_fn)(struct webhook *w, const char *body, size_t n, char *err, size_t cap);

/* A copy without a byte behind it, so that reading past it is seen. */
static int take(form_fn form, const char *body)
{
	size_t n = strlen(body);
	char *copy = malloc(n ? n : 1);
	int rc;

	memcpy(copy, body, n);
	err[0] = 0;
	rc = form(&w, copy, n, err, sizeof(err));
	free(copy);
	return rc;
}

static void refused(form_fn form, const char *body, const char *why)
{
	int rc = take(form, body);

	cr_expect_eq(rc, -EINVAL, "%s: %d", body, rc);
	cr_expect(strstr(err, why), "%.200s: '%s' lacks '%s'", body, err, why);
	cr_expect_eq(w.n_requests, 0);
	webhook_fini(&w);
}

static const char *label(const struct watch_request *r, const char *name)
{
	for (uint32_t i = 0; i < r->n_labels; i++)
		if (!strcmp(r->labels[i].name, name))
			return r->labels[i].value;
	return NULL;
}

Test(watch_webhook, alertmanager)
{
	const struct watch_request *r;

	cr_assert_eq(take(webhook_alertmanager, real), 0, "%s", err);
	cr_assert_eq(w.n_requests, 1);
	cr_expect_eq(w.n_resolved, 1);
	cr_expect_eq(w.n_left_out, 0);
	r = w.requests;
	cr_expect_eq(r->source, TRIGGER_ALERT);
	cr_expect_null(r->name);
	cr_expect_str_eq(r->why, "The shop fails");
	cr_expect_str_eq(r->fingerprint, "c5b9e6e9d4a1f7b2");
	cr_expect_eq(r->n_labels, 4);
	cr_expect_str_eq(label(r, "severity"), "page");
	cr_expect_eq(r->before_ns, UINT64_MAX);
	cr_expect_eq(r->after_ns, UINT64_MAX);
	cr_expect_not(r->wait);
	webhook_fini(&w);
}

Test(watch_webhook, why_and_name)
{
	static const char form[] = "{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\","
		"\"labels\":{\"alertname\":\"A\",\"scap_trigger\":\"slow\"}%s}]}";
	static const struct { const char *more, *why; } rows[] = {
		{ "", "A" }, { ",\"annotations\":{\"description\":\"D\"}", "D" },
		{ ",\"annotations\":{\"description\":\"D\",\"summary\":\"S\"}", "S" },
	};
	char body[400];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(body, sizeof(body), form, rows[i].more);
		cr_assert_eq(take(webhook_alertmanager, body), 0, "%s", err);
		cr_expect_str_eq(w.requests[0].why, rows[i].why);
		cr_expect_str_eq(w.requests[0].name, "slow");
		cr_expect_null(w.requests[0].fingerprint);
		webhook_fini(&w);
	}
}

Test(watch_webhook, alertmanager_refused)
{
	static const struct { const char *body, *why; } rows[] = {
		{ "", "byte" }, { "[]", "no JSON object" }, { "{", "byte" }, { "{}", "version" },
		{ "{\"version\":4,\"alerts\":[]}", "version: not a string" },
		{ "{\"version\":\"5\",\"alerts\":[]}", "version: not \"4\"" },
		{ "{\"version\":\"4\"}", "alerts: not an array" },
		{ "{\"version\":\"4\",\"alerts\":[1]}", "alerts[0]: not an object" },
		{ "{\"version\":\"4\",\"alerts\":[{}]}", "alerts[0].status" },
		{ "{\"version\":\"4\",\"alerts\":[{\"status\":\"on\"}]}", "neither firing" },
		{ "{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"labels\":[]}]}",
		  "alerts[0].labels: not an object" },
		{ "{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"labels\":{\"a\":1}}]}",
		  "a value is not a string" },
		{ "{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"labels\":{\"\":\"\"}}]}",
		  "an empty name" },
		{ "{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"fingerprint\":1}]}",
		  "fingerprint: not a string" },
		{ "{\"version\":\"4\",\"version\":\"4\",\"alerts\":[]}", "duplicate" },
		{ "{\"version\":\"4\",\"alerts\":[]} x", "byte" },
		{ "{\"version\":\"4\\u0000\",\"alerts\":[]}", "byte" },
		{ "{\"version\":\"\xff\",\"alerts\":[]}", "byte" },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(webhook_alertmanager, rows[i].body, rows[i].why);
}

/* Every prefix, and every byte changed: never more than an error. */
Test(watch_webhook, damaged)
{
	char *body = strdup(real);
	size_t n = strlen(body);

	for (size_t i = 0; i < n; i++) {
		cr_assert_eq(webhook_alertmanager(&w, body, i, err, sizeof(err)), -EINVAL);
		webhook_fini(&w);
		body[i] ^= 0x20;
		webhook_alertmanager(&w, body, n, err, sizeof(err));
		webhook_fini(&w);
		body[i] ^= 0x20;
	}
	free(body);
}

/* {"version":"4","alerts":[ALERT,...]} */
static char *many_alerts(unsigned n)
{
	char *body = malloc(100 + n * 80), *p = body;

	p += sprintf(p, "{\"version\":\"4\",\"alerts\":[");
	for (unsigned i = 0; i < n; i++)
		p += sprintf(p, "%s{\"status\":\"firing\",\"fingerprint\":\"%u\"}",
			     i ? "," : "", i);
	strcpy(p, "]}");
	return body;
}

Test(watch_webhook, many_alerts)
{
	char *body = many_alerts(103), *line;
	struct watch_reply replies[100] = { [1] = { .code = 1, .text = "cool-down" } };

	cr_assert_eq(take(webhook_alertmanager, body), 0, "%s", err);
	cr_expect_eq(w.n_requests, 100);
	cr_expect_eq(w.n_left_out, 3);
	cr_expect_str_eq(w.requests[99].fingerprint, "99");
	line = webhook_answer(&w, replies);
	cr_expect(strstr(line, "\"captures\":99,\"refused\":1,\"failed\":0,\"resolved\":0,"
			 "\"left_out\":3,"), "%s", line);
	cr_expect(strstr(line, "{\"ok\":false,\"refused\":true,\"error\":\"cool-down\","
			 "\"fingerprint\":\"1\"}"), "%s", line);
	free(line);
	webhook_fini(&w);
	free(body);
}

/* {"labels":{"l0":"0",...}} */
static char *many_labels(unsigned n)
{
	char *body = malloc(100 + n * 40), *p = body;

	p += sprintf(p, "{\"labels\":{");
	for (unsigned i = 0; i < n; i++)
		p += sprintf(p, "%s\"l%u\":\"%u\"", i ? "," : "", i, i);
	strcpy(p, "}}");
	return body;
}

Test(watch_webhook, many_labels)
{
	char *body = many_labels(64);

	cr_assert_eq(take(webhook_plain, body), 0, "%s", err);
	cr_expect_eq(w.requests[0].n_labels, 64);
	webhook_fini(&w);
	free(body);
	body = many_labels(70);
	cr_assert_eq(take(webhook_plain, body), 0, "%s", err);
	cr_expect_eq(w.requests[0].n_labels, 65);
	cr_expect_str_eq(label(w.requests, "l63"), "63");
	cr_expect_null(label(w.requests, "l64"));
	cr_expect_str_eq(label(w.requests, "scap_labels_left_out"), "6");
	webhook_fini(&w);
	free(body);
}

/* In a capture a name ends at the first '=': an alert with such a label is captured, too. */
Test(watch_webhook, label_name)
{
	cr_assert_eq(take(webhook_plain, "{\"labels\":{\"a=b=\":\"c=d\"}}"), 0, "%s", err);
	cr_expect_str_eq(w.requests[0].labels[0].name, "a_b_");
	cr_expect_str_eq(w.requests[0].labels[0].value, "c=d");
	webhook_fini(&w);
}

/* Cut between characters, and marked. */
Test(watch_webhook, long_values)
{
	char body[4096], *p;
	const char *v;

	p = body + sprintf(body, "{\"labels\":{\"exact\":\"");
	p += sprintf(p, "%0*d", 1024, 0);
	p += sprintf(p, "\",\"long\":\"");
	for (unsigned i = 0; i < 500; i++)
		p += sprintf(p, "\xe2\x82\xac");
	strcpy(p, "\"}}");
	cr_assert_eq(take(webhook_plain, body), 0, "%s", err);
	cr_expect_eq(strlen(label(w.requests, "exact")), 1024);
	v = label(w.requests, "long");
	cr_expect_eq(strlen(v), 340 * 3 + 3);
	cr_expect_str_eq(v + 340 * 3 - 3, "\xe2\x82\xac...");
	webhook_fini(&w);
}

Test(watch_webhook, bounds)
{
	size_t n = WEBHOOK_VALUES;
	char *body = malloc(4 * n + 100), *p;

	/* Deeper than is looked at, deeper than jansson goes, and brackets in strings. */
	memset(body, '[', n);
	body[n] = 0;
	refused(webhook_plain, body, "byte 16: more than 16 levels");
	refused(webhook_plain, "{\"why\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", "levels");
	cr_expect_eq(take(webhook_plain, "{\"why\":\"[[[[[[[[[[[[[[[[[[\\\"[[[[\\\\\"}"), 0, "%s",
		     err);
	cr_expect_str_eq(w.requests[0].why, "[[[[[[[[[[[[[[[[[[\"[[[[\\");
	webhook_fini(&w);
	/* Values that would take a hundred times their bytes. */
	p = body + sprintf(body, "{\"why\":[");
	for (size_t i = 0; i < n; i++)
		p += sprintf(p, "%s{}", i ? "," : "");
	strcpy(p, "]}");
	refused(webhook_plain, body, "more than 32768 values");
	free(body);
}

Test(watch_webhook, plain)
{
	const struct watch_request *r;

	cr_assert_eq(take(webhook_plain, "{\"trigger\":\"slow\",\"why\":\"a\\u0007b\\u0085c\","
			  "\"labels\":{\"k\":\"v\\n\"},\"before\":\"1.5m\",\"after\":\"200ms\","
			  "\"fingerprint\":\"f\",\"wait\":true}"), 0, "%s", err);
	r = w.requests;
	cr_expect_eq(r->source, TRIGGER_ALERT);
	cr_expect_str_eq(r->name, "slow");
	cr_expect_str_eq(r->why, "a b  c");
	cr_expect_str_eq(label(r, "k"), "v\n");
	cr_expect_eq(r->before_ns, 90000000000);
	cr_expect_eq(r->after_ns, 200000000);
	cr_expect_str_eq(r->fingerprint, "f");
	cr_expect(r->wait);
	webhook_fini(&w);
	cr_assert_eq(take(webhook_plain, "{}"), 0, "%s", err);
	cr_expect_eq(w.n_requests, 1);
	cr_expect_null(w.requests[0].why);
	webhook_fini(&w);
	refused(webhook_plain, "{\"before\":30}", "before: not a string");
	refused(webhook_plain, "{\"before\":\"soon\"}", "before: no duration");
	refused(webhook_plain, "{\"after\":\"25h\"}", "after: more than a day");
	refused(webhook_plain, "{\"after\":\"-1s\"}", "after: no duration");
	refused(webhook_plain, "{\"wait\":1}", "wait: neither");
	refused(webhook_plain, "{\"reason\":\"x\"}", "'reason': no such member");
	refused(webhook_plain, "{\"labels\":{\"a\":\"1\",\"a\":\"2\"}}", "duplicate");
}

Test(watch_webhook, control)
{
	const struct watch_request *r;

	cr_assert_eq(take(webhook_control, "{\"trigger\":\"hand\",\"name\":\"n\",\"why\":\"w\","
			  "\"before_ns\":5,\"after_ns\":0,\"labels\":{\"a\":\"b\"},"
			  "\"wait\":true}\n"), 0, "%s", err);
	r = w.requests;
	cr_expect_eq(r->source, TRIGGER_HAND);
	cr_expect_str_eq(r->name, "n");
	cr_expect_eq(r->before_ns, 5);
	cr_expect_eq(r->after_ns, 0);
	cr_expect(r->wait);
	cr_expect_not(w.status);
	webhook_fini(&w);
	cr_assert_eq(take(webhook_control, "{\"status\":true}"), 0, "%s", err);
	cr_expect(w.status);
	webhook_fini(&w);
	refused(webhook_control, "{}", "trigger: not \"hand\"");
	refused(webhook_control, "{\"trigger\":\"alert\"}", "trigger: not \"hand\"");
	refused(webhook_control, "{\"trigger\":\"hand\",\"before_ns\":-1}", "before_ns");
	refused(webhook_control, "{\"trigger\":\"hand\",\"after_ns\":86400000000001}",
		"after_ns: more than a day");
	refused(webhook_control, "{\"trigger\":\"hand\",\"after_ns\":1.5}", "after_ns");
	refused(webhook_control, "{\"trigger\":\"hand\",\"after_ns\":99999999999999999999}",
		"byte");
	refused(webhook_control, "{\"status\":false}", "status: not true");
	refused(webhook_control, "{\"status\":true,\"trigger\":\"hand\"}", "no such member");
}

Test(watch_webhook, answers)
{
	struct watch_reply r = { .file = "/var/lib/a\xff.scapz" };
	char *line = webhook_answer_one(&r);

	cr_expect_str_eq(line, "{\"ok\":true,\"file\":\"/var/lib/a?.scapz\"}");
	free(line);
	r = (struct watch_reply){ .code = 1, .text = "cool-down \"x\"" };
	line = webhook_answer_one(&r);
	cr_expect_str_eq(line, "{\"ok\":false,\"refused\":true,\"error\":\"cool-down \\\"x\\\"\"}");
	free(line);
	r = (struct watch_reply){ .code = -ENOSPC, .text = "disk full", .file = "/f" };
	line = webhook_answer_one(&r);
	cr_expect_str_eq(line, "{\"ok\":false,\"error\":\"disk full\",\"file\":\"/f\"}");
	free(line);
}
