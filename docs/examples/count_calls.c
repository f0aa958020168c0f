/* SPDX-License-Identifier: MIT */
/*
 * How many calls did each process make, and how many events were lost? The capture comes from a
 * byte source by callback: here it is memory, and it could be anything that has bytes in order.
 *
 *	cc -o count_calls count_calls.c $(pkg-config --cflags --libs scap)
 *	./count_calls < shop.scapz
 */
#include <scap/abi.h>
#include <scap/reader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PROCESSES 10000

struct memory {
	char *p;
	size_t n, at;
};

struct process {
	uint32_t tgid;
	char comm[32];
	unsigned long long n;
};

static struct process processes[MAX_PROCESSES];
static unsigned n_processes;
static unsigned long long n_lost, n_unexplained;

/* Any number of bytes up to n is right; 0 is the end. */
static ssize_t memory_read(void *ctx, void *buf, size_t n)
{
	struct memory *m = ctx;

	if (n > m->n - m->at)
		n = m->n - m->at;
	memcpy(buf, m->p + m->at, n);
	m->at += n;
	return (ssize_t)n;
}

static int load(struct memory *m, FILE *f)
{
	size_t got;

	do {
		m->p = realloc(m->p, m->n + 65536);
		if (!m->p)
			return -1;
		got = fread(m->p + m->n, 1, 65536, f);
		m->n += got;
	} while (got);
	return ferror(f) ? -1 : 0;
}

static void count(const struct scap_event *ev)
{
	const char *comm = scap_event_comm(ev);
	uint32_t tgid = scap_event_tgid(ev);
	unsigned i = 0;

	while (i < n_processes && processes[i].tgid != tgid)
		i++;
	if (i == MAX_PROCESSES)
		return;
	if (i == n_processes) {
		processes[n_processes++].tgid = tgid;
		snprintf(processes[i].comm, sizeof(processes[i].comm), "%s", comm ? comm : "?");
	}
	processes[i].n++;
}

static void look_at(const struct scap_event *ev)
{
	uint64_t n, from, to;

	if (scap_event_type(ev) == SCAP_REC_CALL)
		count(ev);
	if (scap_event_gap(ev, &n, &from, &to) == 0)
		*(scap_event_gap_unexplained(ev) ? &n_unexplained : &n_lost) += n;
}

int main(void)
{
	struct memory m = { 0 };
	struct scap_source source = { .ctx = &m, .read = memory_read };
	struct scap_reader_options opt = { .size = sizeof(opt), .memory_limit = 64 << 20 };
	const struct scap_event *ev;
	struct scap_reader *r;
	struct scap_error err;
	int rc;

	if (load(&m, stdin) || scap_reader_open_source(&source, &opt, &r, &err)) {
		fprintf(stderr, "%s\n", m.p && m.n ? err.text : "nothing to read");
		return 2;
	}
	while ((rc = scap_reader_next(r, &ev)) == 0 || rc == SCAP_EDAMAGED) {
		if (rc)
			fprintf(stderr, "%s\n", scap_reader_error(r)->text);
		else
			look_at(ev);
	}
	for (unsigned i = 0; i < n_processes; i++)
		printf("%8llu %s (%u)\n", processes[i].n, processes[i].comm, processes[i].tgid);
	printf("%llu lost, %llu missing without a record of it, %s\n", n_lost, n_unexplained,
	       scap_reader_info(r)->complete ? "read to the end" : "no end");
	scap_reader_close(r);
	free(m.p);
	return rc == 1 ? 0 : 2;
}
