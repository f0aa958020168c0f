/* SPDX-License-Identifier: MIT */
/*
 * ko [-v] FIELD...: what a kernel module is to scap doctor, its .modinfo, to standard output.
 * -v: with versions of symbols, of which there are none.
 */
#include <elf.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

enum { INFO = 1, NAMES, VERSIONS, N_SECTIONS };

static const char names[] = "\0.modinfo\0.names\0__versions";

int main(int argc, char **argv)
{
	int versions = argc > 1 && !strcmp(argv[1], "-v"), first = 1 + versions;
	/* Without them, their name is cut off, too. */
	size_t n = 0, n_sections = versions ? N_SECTIONS : VERSIONS;
	size_t n_names = versions ? sizeof(names) : sizeof("\0.modinfo\0.names");
	Elf64_Shdr sh[N_SECTIONS] = { { 0 } };
	Elf64_Ehdr eh = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB },
		.e_machine = htole16(EM_X86_64), .e_shoff = htole64(sizeof(eh)),
		.e_shentsize = htole16(sizeof(*sh)), .e_shnum = htole16(n_sections),
		.e_shstrndx = htole16(NAMES),
	};
	size_t data = sizeof(eh) + n_sections * sizeof(*sh);

	for (int i = first; i < argc; i++)
		n += strlen(argv[i]) + 1;
	sh[INFO].sh_name = htole32(1);
	sh[INFO].sh_offset = htole64(data);
	sh[INFO].sh_size = htole64(n);
	sh[NAMES].sh_name = htole32(10);
	sh[NAMES].sh_offset = sh[VERSIONS].sh_offset = htole64(data + n);
	sh[NAMES].sh_size = htole64(n_names);
	sh[VERSIONS].sh_name = htole32(17);
	for (int i = INFO; i < N_SECTIONS; i++)
		sh[i].sh_type = htole32(SHT_PROGBITS);
	fwrite(&eh, sizeof(eh), 1, stdout);
	fwrite(sh, sizeof(*sh), n_sections, stdout);
	for (int i = first; i < argc; i++)
		fwrite(argv[i], strlen(argv[i]) + 1, 1, stdout);
	fwrite(names, n_names, 1, stdout);
	return fflush(stdout) != 0;
}
