/* SPDX-License-Identifier: MIT */
/*
 * How many bytes did each process read? Fields of thousands of events at a time, as arrays.
 *
 *	cc -o bytes_read bytes_read.c $(pkg-config --cflags --libs scap)
 *	./bytes_read shop.scapz
 */
#include <scap/scap.h>
#include <stdio.h>

#define MAX_PROCESSES 10000

static const char filter_text[] =
	"evt.type in (read, readv, pread64, preadv, preadv2, recvfrom, recvmsg)";

enum { PID, NAME, BYTES, N_FIELDS };
static const char *const fields[N_FIELDS] = { "proc.pid", "proc.name", "evt.buflen" };

static struct process {
	int64_t pid;	/* 0: not known */
	char name[16];	/* of the thread that read first */
	unsigned long long bytes;
} processes[MAX_PROCESSES];
static unsigned n_processes;

/* Columns have a program's own bytes, and a terminal would act on some. */
static void set_name(struct process *p, const struct scap_column *name, uint32_t row)
{
	unsigned n = 0;

	for (uint32_t at = name->offsets[row]; at < name->offsets[row + 1]; at++)
		if (n < sizeof(p->name) - 1)
			p->name[n++] = name->bytes[at] < ' ' || name->bytes[at] > '~' ? '?' :
				       (char)name->bytes[at];
}

static struct process *find(const struct scap_columns_batch *b, uint32_t row)
{
	int64_t pid = b->columns[PID].i64[row];		/* missing: 0 */
	unsigned i = 0;

	while (i < n_processes && processes[i].pid != pid)
		i++;
	if (i == MAX_PROCESSES)
		return NULL;
	if (i == n_processes) {
		processes[n_processes++].pid = pid;
		set_name(&processes[i], &b->columns[NAME], row);
	}
	return &processes[i];
}

/* Calls that failed have no evt.buflen: there it is 0. */
static void sum(const struct scap_columns_batch *b)
{
	for (uint32_t row = 0; row < b->n_rows; row++) {
		struct process *p = find(b, row);

		if (p)
			p->bytes += b->columns[BYTES].u64[row];
	}
}

static int sum_all(struct scap_reader *r, struct scap_columns *c)
{
	const struct scap_columns_batch *b;
	uint64_t sure = 0, maybe = 0;
	int rc;

	while ((rc = scap_columns_next(c, 4096, &b)) == 0 || rc == SCAP_EDAMAGED) {
		if (rc) {
			fprintf(stderr, "%s\n", scap_reader_error(r)->text);
			continue;
		}
		sum(b);
		sure = b->n_lost_sure;
		maybe = sure + b->n_lost_maybe;
	}
	if (rc < 0)
		fprintf(stderr, "%s\n", scap_reader_error(r)->text);
	for (unsigned i = 0; i < n_processes; i++)
		printf("%8llu %s (%lld)\n", processes[i].bytes, processes[i].name,
		       (long long)processes[i].pid);
	if (maybe)
		printf("at least %llu and at most %llu reads are missing\n",
		       (unsigned long long)sure, (unsigned long long)maybe);
	return rc == 1 ? 0 : 2;
}

int main(int argc, char **argv)
{
	struct scap_filter *filter = NULL;
	struct scap_columns *c = NULL;
	struct scap_reader *r = NULL;
	struct scap_error err;
	int rc = 1;

	if (argc != 2)
		fputs("usage: bytes_read FILE\n", stderr);
	else if (scap_filter_compile(filter_text, &filter, &err) ||
		 scap_reader_open_path(argv[1], NULL, &r, &err) ||
		 scap_columns_open(r, fields, N_FIELDS, filter, &c, &err))
		fprintf(stderr, "%s\n", err.text);
	else
		rc = sum_all(r, c);
	scap_columns_close(c);
	scap_reader_close(r);
	scap_filter_free(filter);
	return rc;
}
