/* SPDX-License-Identifier: MIT */
/* kscap: whether it is loaded, and whether the file would load. */
#include "doctor.h"

#include <elf.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODULE_BYTES_MAX (64 << 20)
#define SIGNED "~Module signature appended~\n"

/* ---- the file ------------------------------------------------------------------------------- */

/* NULL and why. */
static unsigned char *read_whole(const char *path, size_t *ret_n, const char **why)
{
	unsigned char *p = NULL;
	struct stat st;
	long n = -1;
	FILE *f;

	*why = "can't be read";
	f = stat(path, &st) < 0 || !S_ISREG(st.st_mode) ? NULL : fopen(path, "re");
	if (!f)
		return NULL;
	if (!fseek(f, 0, SEEK_END))
		n = ftell(f);
	if (n > MODULE_BYTES_MAX)
		*why = "is too large for a module";
	else if (n > 0 && !fseek(f, 0, SEEK_SET))
		p = malloc((size_t)n);
	if (p && fread(p, 1, (size_t)n, f) != (size_t)n) {
		free(p);
		p = NULL;
	}
	fclose(f);
	*ret_n = p ? (size_t)n : 0;
	return p;
}

static bool is_within(uint64_t offset, uint64_t bytes, size_t n)
{
	return offset <= n && bytes <= n - offset;
}

/* Numbers of a module are little-endian, wherever it is looked at. */
static bool section(const unsigned char *p, size_t n, const Elf64_Ehdr *eh, uint64_t i,
		    Elf64_Shdr *ret)
{
	if (i >= eh->e_shnum || !is_within(eh->e_shoff, (i + 1) * sizeof(*ret), n))
		return false;
	memcpy(ret, p + eh->e_shoff + i * sizeof(*ret), sizeof(*ret));
	ret->sh_name = le32toh(ret->sh_name);
	ret->sh_type = le32toh(ret->sh_type);
	ret->sh_offset = le64toh(ret->sh_offset);
	ret->sh_size = le64toh(ret->sh_size);
	return ret->sh_type == SHT_NOBITS || is_within(ret->sh_offset, ret->sh_size, n);
}

/* The section of that name, in p. NULL: none, or its place lies outside of the file. */
static const char *find_section(const unsigned char *p, size_t n, const Elf64_Ehdr *eh,
				const char *name, uint64_t *ret_n)
{
	Elf64_Shdr names, sh;
	size_t len = strlen(name) + 1;

	if (eh->e_shentsize != sizeof(sh) || !section(p, n, eh, eh->e_shstrndx, &names) ||
	    names.sh_type == SHT_NOBITS)
		return NULL;
	for (uint64_t i = 0; section(p, n, eh, i, &sh); i++) {
		if (sh.sh_type == SHT_NOBITS || !is_within(sh.sh_name, len, names.sh_size) ||
		    memcmp(p + names.sh_offset + sh.sh_name, name, len))
			continue;
		*ret_n = sh.sh_size;
		return (const char *)p + sh.sh_offset;
	}
	return NULL;
}

/* NULL: it is one for x86-64. */
static const char *check_header(const unsigned char *p, size_t n, Elf64_Ehdr *eh)
{
	if (n < sizeof(*eh) || memcmp(p, ELFMAG, SELFMAG))
		return "is no ELF file";
	memcpy(eh, p, sizeof(*eh));
	eh->e_machine = le16toh(eh->e_machine);
	eh->e_shentsize = le16toh(eh->e_shentsize);
	eh->e_shnum = le16toh(eh->e_shnum);
	eh->e_shstrndx = le16toh(eh->e_shstrndx);
	eh->e_shoff = le64toh(eh->e_shoff);
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh->e_machine != EM_X86_64)
		return "is not for x86-64";
	return NULL;
}

/* "name=value" strings with their ends, and nothing is sure about the last one's. */
static bool modinfo(const char *info, uint64_t n, const char *name, char *buf, size_t cap)
{
	size_t len = strlen(name);

	while (n) {
		size_t used = strnlen(info, n);

		if (used > len && !memcmp(info, name, len) && info[len] == '=') {
			snprintf(buf, cap, "%.*s", (int)(used - len - 1), info + len + 1);
			return true;
		}
		if (used == n)
			return false;
		info += used + 1;
		n -= used + 1;
	}
	return false;
}

struct module {
	char name[64], vermagic[200];
	bool has_versions;	/* of the symbols that it uses */
	bool is_signed;
};

/* NULL, or what is wrong with it. */
static const char *look_into(const char *path, struct module *m)
{
	const char *why, *info;
	Elf64_Ehdr eh;
	uint64_t n_info, n_versions;
	size_t n;
	unsigned char *p = read_whole(path, &n, &why);

	if (!p)
		return why;
	why = check_header(p, n, &eh);
	info = why ? NULL : find_section(p, n, &eh, ".modinfo", &n_info);
	if (!why && (!info || !modinfo(info, n_info, "name", m->name, sizeof(m->name)) ||
		     !modinfo(info, n_info, "vermagic", m->vermagic, sizeof(m->vermagic))))
		why = "is no kernel module: it has no name or vermagic";
	m->has_versions = !why && find_section(p, n, &eh, "__versions", &n_versions);
	m->is_signed = n >= sizeof(SIGNED) - 1 &&
		       !memcmp(p + n - (sizeof(SIGNED) - 1), SIGNED, sizeof(SIGNED) - 1);
	free(p);
	return why;
}

/* ---- finding it ----------------------------------------------------------------------------- */

/* modules.dep has a line for each module that modprobe would find. */
static bool find_installed(const struct doctor *d, char path[PATH_MAX])
{
	char buf[PATH_MAX], line[1024];
	FILE *f = fopen(doctor_path(d, buf, "/lib/modules/%s/modules.dep", d->release), "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		const char *name;

		line[strcspn(line, ":\n")] = 0;
		name = strrchr(line, '/') ? strrchr(line, '/') + 1 : line;
		found = !strncmp(name, "kscap.ko", 8) && (!name[8] || name[8] == '.');
	}
	if (f)
		fclose(f);
	if (found)
		doctor_path(d, path, "/lib/modules/%s/%s", d->release, line);
	return found;
}

static bool find_module(const struct doctor *d, char path[PATH_MAX])
{
	if (d->module)
		return snprintf(path, PATH_MAX, "%s", d->module) < PATH_MAX;
	if (*d->release && find_installed(d, path))
		return true;
	return doctor_beside(d, "kscap.ko", path) && !access(path, F_OK);
}

/* ---- findings ------------------------------------------------------------------------------- */

static void check_loaded(struct doctor *d)
{
	if (d->loaded)
		doctor_say(d, FINDING_OK, "module", NULL, "kscap is loaded");
	else
		doctor_say(d, FINDING_WARN, "module", "modprobe kscap, or insmod kscap.ko",
			   "kscap is not loaded");
}

/*
 * With versions of symbols the kernel compares those and not its release: within a series they may
 * well be the same.
 */
static void say_other_kernel(struct doctor *d, enum finding bad, const char *path,
			     const struct module *m)
{
	size_t n = strcspn(d->release, "-");
	bool may_do = m->has_versions && n && !strncmp(m->vermagic, d->release, n) &&
		      strchr(" -", m->vermagic[n]);

	doctor_say(d, may_do ? FINDING_WARN : bad, "module-file", d->can_build ?
		   "build it anew: make module KDIR=/lib/modules/$(uname -r)/build" :
		   "install this kernel's headers and build it anew",
		   "%s was built for the kernel %.*s, this one is %s%s", path,
		   (int)strcspn(m->vermagic, " "), m->vermagic,
		   *d->release ? d->release : "not known",
		   may_do ? ": it loads if the symbols that it uses are the same in both" : "");
}

static void check_contents(struct doctor *d, enum finding bad, const char *path)
{
	struct module m = { 0 };
	const char *why = look_into(path, &m);
	size_t n = strcspn(m.vermagic, " ");

	if (why)
		doctor_say(d, bad, "module-file", "build it anew: make module", "%s %s", path, why);
	else if (strcmp(m.name, "kscap"))
		doctor_say(d, bad, "module-file", "name kscap.ko with --module",
			   "%s is the module %s", path, m.name);
	else if (d->must_sign && !m.is_signed)
		doctor_say(d, bad, "module-file", "see signatures",
			   "%s has no signature, and this kernel wants one", path);
	else if (strlen(d->release) != n || memcmp(m.vermagic, d->release, n))
		say_other_kernel(d, bad, path, &m);
	else if (d->must_sign)
		doctor_say(d, FINDING_WARN, "module-file", "where insmod says that the key is "
			   "rejected or not available, see signatures",
			   "%s was built for this kernel and is signed: not looked at by whom",
			   path);
	else
		doctor_say(d, FINDING_OK, "module-file", NULL, "%s was built for this kernel%s",
			   path, m.is_signed ? " and is signed" : "");
}

void doctor_module(struct doctor *d)
{
	char path[PATH_MAX];
	enum finding bad;
	const char *end;

	check_loaded(d);
	/* One that is in the kernel needs no file. */
	bad = d->loaded ? FINDING_WARN : FINDING_FAIL;
	if (!find_module(d, path)) {
		doctor_say(d, bad, "module-file", "make module, then --module build/kscap.ko; or "
			   "put it into /lib/modules and run depmod", "no kscap.ko was found");
		return;
	}
	end = strrchr(path, '.');
	if (end && (!strcmp(end, ".xz") || !strcmp(end, ".zst") || !strcmp(end, ".gz")))
		doctor_say(d, FINDING_WARN, "module-file", "unpack it and name it with --module",
			   "%s is compressed: not looked into", path);
	else
		check_contents(d, bad, path);
}
