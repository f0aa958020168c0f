/* SPDX-License-Identifier: MIT */
/*
 * keyhostile N: N calls of SCAP_IOC_KEYFRAME with cursors, addresses and sizes that make no sense:
 * nothing but errors, or records. Then one killed in its middle, and one never ended.
 */
#include "keyframe.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define ROOM (1 << 18)

static unsigned n_ok, n_errors;

static uint64_t any(void)
{
	uint64_t r = (uint64_t)rand() << 33 ^ (uint64_t)rand() << 10 ^ (uint64_t)rand();

	return rand() % 3 ? r : r >> rand() % 64;
}

static void one(int fd, char *buf, struct scap_keyframe *sound)
{
	static const int expected[] = { EINVAL, EFAULT, E2BIG };
	struct scap_keyframe kf = { .size = sizeof(kf), .buf = (uintptr_t)buf, .room_bytes = ROOM };
	bool known = false;
	int rc;

	switch (rand() % 8) {
	case 0: kf.size = (uint32_t)any(); break;
	case 1: kf.buf = any(); break;
	case 2: kf.room_bytes = any(); break;
	case 3: kf.cursor[rand() % 2] = any(); break;
	case 4: kf.cursor[0] = sound->cursor[0]; kf.cursor[1] = any(); break;
	case 5: kf.buf = (uintptr_t)buf + ROOM - 4096; break;
	case 6: memcpy(kf.cursor, sound->cursor, sizeof(kf.cursor)); break;
	case 7: break;
	}
	rc = ioctl(fd, SCAP_IOC_KEYFRAME, &kf);
	for (size_t i = 0; rc < 0 && i < sizeof(expected) / sizeof(expected[0]); i++)
		known |= errno == expected[i];
	if (rc < 0 && !known)
		fail("errno %d", errno);
	if (rc >= 0 && (kf.filled_bytes > kf.room_bytes || rc))
		fail("%llu bytes in a room of %llu", (unsigned long long)kf.filled_bytes,
		     (unsigned long long)kf.room_bytes);
	n_ok += rc >= 0;
	n_errors += rc < 0;
	if (rc >= 0)
		*sound = kf;
}

static void killed(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct keyframe k = { 0 };
		int fd = key_open();

		for (;;)
			key_take(fd, ROOM, &k);
	}
	usleep(100000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	struct scap_keyframe sound = { .size = sizeof(sound),
				       .room_bytes = SCAP_KEYFRAME_MIN_BYTES };
	char *buf = mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	struct keyframe k = { 0 };
	int fd = key_open();

	munmap(buf + ROOM, ROOM);
	for (int i = argc > 1 ? atoi(argv[1]) : 1000; i > 0; i--)
		one(fd, buf, &sound);
	/* After all that a sound one is what it should be. */
	key_take(fd, ROOM, &k);
	key_check(&k);
	for (int i = 0; i < 10; i++)
		killed();
	/* Begun and left: closing the file ends it. */
	memset(sound.cursor, 0, sizeof(sound.cursor));
	sound.buf = (uintptr_t)buf;
	sound.room_bytes = SCAP_KEYFRAME_MIN_BYTES;
	if (ioctl(fd, SCAP_IOC_KEYFRAME, &sound) < 0)
		fail("the last one");
	printf("sound %u refused %u\n", n_ok, n_errors);
	return n_fails != 0;
}
