/* SPDX-License-Identifier: MIT */
/*
 * Calls as table rows, made so that everything the ABI lets be garbage is garbage: registers that
 * the call does not take, upper halves of 32-bit arguments, the upper half of the number.
 *
 *	C(openat, -ENOENT, I(AT_FDCWD), P("missing"), I(O_RDONLY))
 *
 * is the call, the result it must have, and its arguments: I of 32 bits, L of a register's width,
 * P a pointer. What comes out is compared with what is wanted; done() says how many were wrong.
 */
#ifndef TESTS_KERNEL_RAWCALL_H
#define TESTS_KERNEL_RAWCALL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Results that are not known beforehand. */
#define OK	(LONG_MAX - 1)	/* any that is no error */
#define ANY	(LONG_MAX - 2)	/* depends on the machine; the call is made for the record's sake */

struct arg {
	unsigned long value;
	int is_wide;
};

struct row {
	const char *name;
	long nr, want;
	unsigned n_args;
	struct arg args[6];
};

#define I(v) { (unsigned int)(v), 0 }
#define L(v) { (unsigned long)(v), 1 }
#define P(p) { (unsigned long)(p), 1 }
#define N_ARGS(...) (sizeof((struct arg[]){ __VA_ARGS__ }) / sizeof(struct arg))
#define CALL(name, nr, want, ...) { name, nr, want, N_ARGS(__VA_ARGS__), { __VA_ARGS__ } }
#ifndef C	/* a program of another ABI has its own numbers */
#define C(name, want, ...) CALL(#name, __NR_##name, want, ##__VA_ARGS__)
#endif

/* A register that the call does not take. */
#define JUNK(i) (0x5ca1ab1e0ddba11ULL * (2 * (i) + 3))
#define JUNK_HIGH 0xdeadbeef00000000ULL

#ifdef RAW_INT80
#define RAW_BITS 32
#elif defined(__x86_64__)
#define RAW_BITS 64
#else
#define RAW_BITS 32
#endif

#if defined(__x86_64__) && !defined(RAW_INT80)
static inline long raw6(long nr, const unsigned long a[6])
{
	register unsigned long r10 __asm__("r10") = a[3];
	register unsigned long r8 __asm__("r8") = a[4];
	register unsigned long r9 __asm__("r9") = a[5];
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"((unsigned int)nr | JUNK_HIGH), "D"(a[0]), "S"(a[1]), "d"(a[2]),
			   "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#elif defined(__x86_64__)
/* The 32-bit ABI from a 64-bit program: all registers have upper halves, and they are garbage. */
static inline long raw6(long nr, const unsigned long a[6])
{
	unsigned long w[6];
	long ret;

	for (int i = 0; i < 6; i++)
		w[i] = (unsigned int)a[i] | (JUNK(i) & 0xffffffff00000000);
	/* rbp is the sixth argument, which no constraint can name; the red zone is not touched */
	__asm__ volatile("sub $136, %%rsp\n\t"
			 "push %%rbp\n\t"
			 "mov 24(%[w]), %%rsi\n\t"
			 "mov 32(%[w]), %%rdi\n\t"
			 "mov 40(%[w]), %%rbp\n\t"
			 "int $0x80\n\t"
			 "pop %%rbp\n\t"
			 "add $136, %%rsp"
			 : "=a"(ret)
			 : "a"((unsigned int)nr | JUNK_HIGH), "b"(w[0]), "c"(w[1]), "d"(w[2]),
			   [w] "r"((unsigned long *)w)
			 : "rsi", "rdi", "r8", "r9", "r10", "r11", "memory");
	return (int)ret;
}
#else
static inline long raw6(long nr, const unsigned long a[6])
{
	long ret;

	/* ebp is the sixth argument, and no register is left to address the array by */
	__asm__ volatile("push %%ebp\n\t"
			 "push %%edi\n\t"
			 "mov 20(%%eax), %%ebp\n\t"
			 "mov 16(%%eax), %%edi\n\t"
			 "mov 12(%%eax), %%esi\n\t"
			 "mov 8(%%eax), %%edx\n\t"
			 "mov 4(%%eax), %%ecx\n\t"
			 "mov (%%eax), %%ebx\n\t"
			 "pop %%eax\n\t"
			 "int $0x80\n\t"
			 "pop %%ebp"
			 : "=a"(ret), "+D"(nr)
			 : "a"(a)
			 : "ebx", "ecx", "edx", "esi", "memory", "cc");
	return ret;
}
#endif

static unsigned n_calls, n_wrong;

static inline void check(const char *name, long ret, long want)
{
	n_calls++;
	if (ret == want || want == ANY)
		return;
	if (want == OK && (unsigned long)ret < (unsigned long)-4095L)
		return;
	printf("FAIL %s: %ld, should be %ld\n", name, ret, want);
	n_wrong++;
}

static inline long make(const struct row *r)
{
	unsigned long a[6];
	long ret;

	for (unsigned i = 0; i < 6; i++) {
		a[i] = r->args[i].value;
		if (i >= r->n_args)
			a[i] = (unsigned long)JUNK(i);
		else if (RAW_BITS == 64 && !r->args[i].is_wide)
			a[i] |= (unsigned long)(JUNK(i) & 0xffffffff00000000);
	}
	ret = raw6(r->nr, a);
	check(r->name, ret, r->want);
	return ret;
}

static inline void make_all(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		make(&rows[i]);
}
#define MAKE(rows) make_all(rows, sizeof(rows) / sizeof(*(rows)))
/* One call, with arguments that are not constant. */
#define ONE(...) make(&(struct row)C(__VA_ARGS__))

static inline int done(void)
{
	printf("%u calls, %u wrong\n", n_calls, n_wrong);
	return n_wrong != 0;
}

#endif
