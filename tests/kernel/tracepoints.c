/* SPDX-License-Identifier: MIT */
/*
 * tracepoints: the names of those that somebody has registered a probe with. Their switches, which
 * are the kernel's own, are read through /proc/kcore.
 */
#include "guest.h"
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>

static Elf64_Phdr phdrs[256];
static int n_phdrs;
static int kcore;

static void open_kcore(void)
{
	Elf64_Ehdr eh;
	size_t bytes;

	kcore = open("/proc/kcore", O_RDONLY);
	if (kcore < 0 || pread(kcore, &eh, sizeof(eh), 0) != sizeof(eh))
		die("/proc/kcore");
	n_phdrs = eh.e_phnum < 256 ? eh.e_phnum : 256;
	bytes = n_phdrs * sizeof(phdrs[0]);
	if (pread(kcore, phdrs, bytes, (off_t)eh.e_phoff) != (ssize_t)bytes)
		die("/proc/kcore");
}

static int read_at(uint64_t addr, void *buf, size_t n)
{
	for (int i = 0; i < n_phdrs; i++) {
		const Elf64_Phdr *p = &phdrs[i];

		if (p->p_type == PT_LOAD && addr >= p->p_vaddr && addr - p->p_vaddr < p->p_memsz)
			return pread(kcore, buf, n, (off_t)(p->p_offset + addr - p->p_vaddr)) ==
			       (ssize_t)n ? 0 : -1;
	}
	return -1;
}

/* struct tracepoint begins with its name and a struct static_key, which begins with a count. */
static int is_on(uint64_t addr, const char *name)
{
	struct { uint64_t name; int32_t enabled; } tp;
	char found[128];

	if (read_at(addr, &tp, sizeof(tp)) < 0)
		return -1;
	memset(found, 0, sizeof(found));
	if (read_at(tp.name, found, strlen(name) + 1) < 0 || strcmp(found, name))
		return -1;
	return tp.enabled > 0;
}

int main(void)
{
	static const char prefix[] = "__tracepoint_";
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[512], symbol[256], module[64];
	unsigned n = 0, n_unknown = 0;
	unsigned long addr;

	if (!f)
		die("/proc/kallsyms");
	open_kcore();
	while (fgets(line, sizeof(line), f)) {
		int fields = sscanf(line, "%lx %*c %255s %63s", &addr, symbol, module);
		const char *name = symbol + sizeof(prefix) - 1;
		int on;

		if (fields != 2 || strncmp(symbol, prefix, sizeof(prefix) - 1))
			continue;
		n++;
		on = is_on(addr, name);
		n_unknown += on < 0;
		if (on > 0)
			printf("%s\n", name);
	}
	fprintf(stderr, "%u tracepoints, %u unknown\n", n, n_unknown);
	return n < 100 || n_unknown;
}
