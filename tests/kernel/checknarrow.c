/* SPDX-License-Identifier: MIT */
/*
 * checknarrow CAPTURE [failed] [latency=NS] [uid=N] [calls=NAME,...]: every call meets all that is
 * said, or changes the state of a process that was chosen: those pass filters of calls, results and
 * latency. Prints how many were chosen, of each name, and how many passed for their sake.
 */
#include "capture.h"

/* Calls that change what a process is or where it stands: these may pass, and nothing else. */
#define PASSES_PASS true
#define PASSES_NO false
#define SCAP_DECISIVE(row, lane, pass) { #row, PASSES_##pass },
static const struct {
	const char *name;
	bool passes;
} decisive[] = {
#include <scap/decisive.def>
};

static bool wants_failed, wants_uid;
static uint64_t min_latency_ns;
static uint32_t uid;
static const char *calls;
static unsigned n_chosen, n_decisive, n_fails;

static bool is_decisive(const char *name)
{
	for (unsigned i = 0; i < sizeof(decisive) / sizeof(decisive[0]); i++)
		if (!strcmp(name, decisive[i].name))
			return decisive[i].passes;
	return false;
}

static bool is_named(const char *name)
{
	const char *at = calls;
	size_t n = strlen(name);

	while ((at = strstr(at, name)) != NULL) {
		if ((at == calls || at[-1] == ',') && (!at[n] || at[n] == ','))
			return true;
		at += n;
	}
	return false;
}

static bool is_wanted(const struct scap_event *ev, const char *name)
{
	if (wants_failed && !(ev->ret < 0 && ev->ret >= -4095))
		return false;
	if (min_latency_ns && ev->latency_ns < min_latency_ns)
		return false;
	return !calls || is_named(name);
}

static void check(const struct scap_event *ev)
{
	const char *name = scap_event_name(ev);

	/* Whose call it is holds for all. One that changes the uid counts as the new one's. */
	if (wants_uid && (!ev->thread || ev->thread->uid != uid) && n_fails++ < 20)
		printf("FAIL %s of uid %u\n", name, ev->thread ? ev->thread->uid : ~0U);
	else if (is_wanted(ev, name))
		n_chosen++;
	else if (is_decisive(name))
		n_decisive++;
	else if (n_fails++ < 20)
		printf("FAIL %s of thread %u, result %lld, latency %llu ns\n", name, ev->tid,
		       (long long)ev->ret, (unsigned long long)ev->latency_ns);
}

static void read_option(const char *word)
{
	wants_failed |= !strcmp(word, "failed");
	if (!strncmp(word, "latency=", 8))
		min_latency_ns = strtoull(word + 8, NULL, 10);
	if (!strncmp(word, "uid=", 4)) {
		wants_uid = true;
		uid = (uint32_t)atoi(word + 4);
	}
	if (!strncmp(word, "calls=", 6))
		calls = word + 6;
}

int main(int argc, char **argv)
{
	const struct scap_event *ev;
	struct scap_reader *r;

	if (argc < 2)
		die("usage: checknarrow CAPTURE OPTION...");
	for (int i = 2; i < argc; i++)
		read_option(argv[i]);
	r = capture_open(argv[1]);
	while ((ev = capture_next(r)) != NULL)
		if (is_call(ev))
			check(ev);
	scap_reader_close(r);
	printf("chosen %u\ndecisive %u\n", n_chosen, n_decisive);
	return n_fails != 0;
}
