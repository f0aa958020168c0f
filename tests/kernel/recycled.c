/* SPDX-License-Identifier: MIT */
/*
 * recycled N: files that come to lie where others lay, N times each, under the same number:
 * an eventfd, then a timerfd, whose names have the same length; a regular file, then a FIFO of the
 * same name. Each is used once: eventfd written, timerfd read (EAGAIN), file written, FIFO written.
 */
#include "guest.h"
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

static void anonymous(void)
{
	uint64_t one = 1;
	int fd = eventfd(0, 0);

	if (fd < 0 || write(fd, &one, sizeof(one)) != sizeof(one))
		die("eventfd");
	close(fd);
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	if (fd < 0 || read(fd, &one, sizeof(one)) >= 0)
		die("timerfd");
	close(fd);
}

static void named(void)
{
	int fd = open("recycled.x", O_RDWR | O_CREAT | O_EXCL, 0600);

	if (fd < 0 || write(fd, "file", 4) != 4)
		die("file");
	close(fd);
	unlink("recycled.x");
	if (mkfifo("recycled.x", 0600) < 0)
		die("mkfifo");
	fd = open("recycled.x", O_RDWR);
	if (fd < 0 || write(fd, "fifo", 4) != 4)
		die("fifo");
	close(fd);
	unlink("recycled.x");
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 100;

	for (int i = 0; i < n; i++) {
		anonymous();
		named();
	}
	return 0;
}
