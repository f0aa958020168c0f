/* SPDX-License-Identifier: MIT */
/* ko FIELD...: what a kernel module is to scap doctor, its .modinfo, to standard output. */
#include <elf.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

static const char names[] = "\0.modinfo\0.names";

int main(int argc, char **argv)
{
	Elf64_Shdr sh[3] = { { 0 } };
	Elf64_Ehdr eh = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB },
		.e_machine = htole16(EM_X86_64), .e_shoff = htole64(sizeof(eh)),
		.e_shentsize = htole16(sizeof(*sh)), .e_shnum = htole16(3),
		.e_shstrndx = htole16(2),
	};
	size_t n = 0;

	for (int i = 1; i < argc; i++)
		n += strlen(argv[i]) + 1;
	sh[1].sh_name = htole32(1);
	sh[1].sh_type = sh[2].sh_type = htole32(SHT_PROGBITS);
	sh[1].sh_offset = htole64(sizeof(eh) + sizeof(sh));
	sh[1].sh_size = htole64(n);
	sh[2].sh_name = htole32(10);
	sh[2].sh_offset = htole64(sizeof(eh) + sizeof(sh) + n);
	sh[2].sh_size = htole64(sizeof(names));
	fwrite(&eh, sizeof(eh), 1, stdout);
	fwrite(sh, sizeof(sh), 1, stdout);
	for (int i = 1; i < argc; i++)
		fwrite(argv[i], strlen(argv[i]) + 1, 1, stdout);
	fwrite(names, sizeof(names), 1, stdout);
	return fflush(stdout) != 0;
}
