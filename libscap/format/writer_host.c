/* SPDX-License-Identifier: MIT */
/* The HOST section: what the capture says about where and how it was made. */
#include "format/writer.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <scap/abi.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define STRING_MAX_BYTES (64u << 10)

static int put_value(struct scap__buffer *b, uint16_t key, uint16_t kind, const void *data,
		     size_t n)
{
	static const uint8_t zeros[SCAP__ALIGN];
	struct scap__host_entry e = { htole16(key), htole16(kind), htole32((uint32_t)n) };
	size_t pad = -n & (SCAP__ALIGN - 1);
	int rc = scap__buffer_reserve(b, sizeof(e) + n + pad);

	if (rc)
		return rc;
	scap__buffer_put(b, &e, sizeof(e));
	scap__buffer_put(b, data, n);
	scap__buffer_put(b, zeros, pad);
	return 0;
}

int scap__entry_put_string(struct scap__buffer *b, uint16_t key, const char *s, size_t max)
{
	return put_value(b, key, SCAP__HOST_STRING, s, strnlen(s, max));
}

int scap__entry_put_u64(struct scap__buffer *b, uint16_t key, uint64_t v)
{
	v = htole64(v);
	return put_value(b, key, SCAP__HOST_U64, &v, sizeof(v));
}

static int put_string(struct scap__buffer *b, uint16_t key, const char *s)
{
	return scap__entry_put_string(b, key, s, STRING_MAX_BYTES);
}

/* Without its line end; empty where there is none to be read. */
static void read_boot_id(char *buf, size_t cap)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, cap - 1);

	if (fd >= 0)
		close(fd);
	buf[n < 0 ? 0 : n] = 0;
	buf[strcspn(buf, "\n")] = 0;
}

static int put_strings(struct scap__buffer *b, const struct scap_writer_options *opt)
{
	struct utsname uts = { 0 };
	char boot_id[64];
	int rc;

	uname(&uts);
	read_boot_id(boot_id, sizeof(boot_id));
	rc = put_string(b, SCAP__HOST_hostname, opt->hostname ? opt->hostname : uts.nodename);
	if (!rc)
		rc = put_string(b, SCAP__HOST_kernel, opt->kernel ? opt->kernel : uts.release);
	if (!rc)
		rc = put_string(b, SCAP__HOST_machine, opt->machine ? opt->machine : uts.machine);
	if (!rc)
		rc = put_string(b, SCAP__HOST_boot_id, opt->boot_id ? opt->boot_id : boot_id);
	if (!rc)
		rc = put_string(b, SCAP__HOST_recorder, opt->recorder ? opt->recorder : "libscap");
	if (!rc)
		rc = put_string(b, SCAP__HOST_filter, opt->filter ? opt->filter : "");
	return rc;
}

int scap__host_put(struct scap_writer *w, const struct scap_writer_options *opt)
{
	const struct {
		uint16_t key;
		uint64_t value;
	} numbers[] = {
#define X(nr, member) { nr, opt->member },
		SCAP__HOST_NUMBERS(X)
#undef X
		{ SCAP__HOST_clock_source, opt->clock_source },
		{ SCAP__HOST_raw_ns, opt->raw_ns },
		{ SCAP__HOST_real_ns, opt->real_ns },
		{ SCAP__HOST_boot_ns, opt->boot_ns },
		{ SCAP__HOST_abi_version, SCAP_ABI_VERSION },
	};
	int rc = put_strings(&w->raw, opt);

	for (size_t i = 0; !rc && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		rc = scap__entry_put_u64(&w->raw, numbers[i].key, numbers[i].value);
	return rc;
}
