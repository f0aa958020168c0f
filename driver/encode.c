// SPDX-License-Identifier: GPL-2.0-only
#include "encode.h"

#include <linux/kernel.h>
#include <linux/string.h>

#include "consumer.h"
#include "fetch.h"
#include "fill.h"
#include "ref.h"
#include "ucopy.h"

#define SMALL_MAX	128	/* addresses and small structures */
#define IOV_MAX_PARTS	1024

/* Bytes that a blob begun now may have; what is cut for want of room is marked as any cut. */
static u32 room_left(const struct kscap_scratch *s)
{
	u32 used = s->bytes + sizeof(struct scap_blob);

	return used < s->room ? ALIGN_DOWN(s->room - used, 8) : 0;
}

void kscap_blob_user_str(struct kscap_scratch *s, unsigned int slot, u64 ptr)
{
	u32 max = min_t(u32, room_left(s), SCAP_PATH_MAX_BYTES);
	char *to = kscap_blob_begin(s, max);
	unsigned int state;
	u64 got;

	if (!to)
		return;
	got = kscap_ucopy_str(to, ptr, max);
	state = KSCAP_STR_STATE(got);
	kscap_blob_end(s, slot, state, KSCAP_STR_LEN(got),
		       state == SCAP_STATE_WHOLE ? KSCAP_STR_LEN(got) : SCAP_LEN_UNKNOWN);
}

void kscap_blob_str(struct kscap_scratch *s, unsigned int slot, const char *str)
{
	u32 len = strlen(str), n = min_t(u32, len, SCAP_PATH_MAX_BYTES);
	char *to = kscap_blob_begin(s, n);

	if (!to)
		return;
	memcpy(to, str, n);
	kscap_blob_end(s, slot, n < len ? SCAP_STATE_TRUNCATED : SCAP_STATE_WHOLE, n, len);
}

void kscap_blob_user(struct kscap_scratch *s, unsigned int slot, u64 ptr, u64 orig, u32 max)
{
	u32 want = min_t(u64, orig, min(max, room_left(s))), n;
	void *to = kscap_blob_begin(s, want);

	if (!to)
		return;
	n = kscap_ucopy(to, ptr, want);
	kscap_blob_end(s, slot, kscap_state_of(n, want, orig), n, kscap_orig_of(orig));
}

/* ---- I/O data ------------------------------------------------------------------------------ */

/* One element of an iovec array, of either ABI. False: unreadable. */
static bool read_iov(const struct kscap_scratch *s, u64 ptr, u32 i, u64 *ret_base, u64 *ret_len)
{
	if (s->abi == SCAP_ABI_I386) {
		u32 iov[2];

		if (kscap_ucopy(iov, ptr + 8ULL * i, sizeof(iov)) < sizeof(iov))
			return false;
		*ret_base = iov[0];
		*ret_len = iov[1];
	} else {
		u64 iov[2];

		if (kscap_ucopy(iov, ptr + 16ULL * i, sizeof(iov)) < sizeof(iov))
			return false;
		*ret_base = iov[0];
		*ret_len = iov[1];
	}
	return true;
}

/* What the parts add up to, for calls that failed; an unreadable part ends the sum. */
static u64 iov_total(const struct kscap_scratch *s, u64 ptr, u32 n_parts)
{
	u64 total = 0, base, len;
	u32 i;

	for (i = 0; i < n_parts; i++) {
		if (!read_iov(s, ptr, i, &base, &len))
			return SCAP_LEN_UNKNOWN;
		if (check_add_overflow(total, len, &total))
			return SCAP_LEN_UNKNOWN;
	}
	return total;
}

/*
 * The bytes of all parts, in a row. total: how many the call moved or wanted to;
 * SCAP_LEN_UNKNOWN: the array cannot be read to its end.
 */
static void io_vector(struct kscap_scratch *s, unsigned int slot, u64 ptr, u64 n_parts, u64 total)
{
	u32 want = min_t(u64, total, READ_ONCE(kscap_max_snaplen[s->io_class])), n = 0, i;
	u8 *to = kscap_blob_begin(s, want);
	u64 base, len;

	if (!to)
		return;
	for (i = 0; i < n_parts && i < IOV_MAX_PARTS && n < want; i++) {
		u32 part, got;

		if (!read_iov(s, ptr, i, &base, &len))
			break;
		part = min_t(u64, len, want - n);
		got = kscap_ucopy(to + n, base, part);
		n += got;
		if (got < part)
			break;
	}
	/* MSG_TRUNC: the parts may end before what the result says. */
	if (i == n_parts)
		want = n;
	kscap_io_blob_end(s, slot, n, want, total);
}

void kscap_io_buffer(struct kscap_scratch *s, unsigned int slot, u64 ptr, u64 len)
{
	u32 want = min_t(u64, len, READ_ONCE(kscap_max_snaplen[s->io_class]));
	void *to = kscap_blob_begin(s, want);

	if (to)
		kscap_io_blob_end(s, slot, kscap_ucopy(to, ptr, want), want, len);
}

static void io_vector_arg(struct kscap_scratch *s, unsigned int slot, u64 ptr, u64 n_parts, bool in)
{
	if (s->ret >= 0)
		io_vector(s, slot, ptr, n_parts, s->ret);
	else if (in && n_parts <= IOV_MAX_PARTS)
		io_vector(s, slot, ptr, n_parts, iov_total(s, ptr, n_parts));
}

struct msg_view {
	u64 name, iov, n_iov, control, control_len;
	u32 name_len;
};

static bool read_msghdr(const struct kscap_scratch *s, u64 ptr, struct msg_view *v)
{
	if (s->abi == SCAP_ABI_I386) {
		u32 m[6];	/* name, namelen, iov, iovlen, control, controllen */

		if (kscap_ucopy(m, ptr, sizeof(m)) < sizeof(m))
			return false;
		*v = (struct msg_view){ m[0], m[2], m[3], m[4], m[5], m[1] };
	} else {
		u64 m[6];

		if (kscap_ucopy(m, ptr, sizeof(m)) < sizeof(m))
			return false;
		*v = (struct msg_view){ m[0], m[2], m[3], m[4], m[5], m[1] };
	}
	return true;
}

/*
 * sendmsg, recvmsg: data, address, what was handed over. recvmsg has put the real lengths into
 * msg_namelen and msg_controllen.
 */
static void message(struct kscap_scratch *s, unsigned int slot, u64 ptr, bool in)
{
	struct msg_view v;

	if (!in && s->ret < 0)
		return;
	if (!read_msghdr(s, ptr, &v)) {
		kscap_io_blob_end(s, slot, 0, 1, 1);
		return;
	}
	io_vector_arg(s, slot, v.iov, v.n_iov, in);
	if (v.name && v.name_len && v.name_len <= SMALL_MAX)
		kscap_blob_user(s, SCAP_SLOT_NAME, v.name, v.name_len, SMALL_MAX);
	if (v.control && v.control_len)
		kscap_scm_blob(s, v.control, v.control_len);
}

/* sendmmsg, recvmmsg: the first message, whose length the call puts behind its header. */
static void first_message(struct kscap_scratch *s, unsigned int slot, u64 ptr, bool in)
{
	u32 header = s->abi == SCAP_ABI_I386 ? 28 : 56, len;
	struct msg_view v;

	if (!s->ret || (s->ret < 0 && !in))
		return;
	if (!read_msghdr(s, ptr, &v) ||
	    kscap_ucopy(&len, ptr + header, sizeof(len)) < sizeof(len)) {
		kscap_io_blob_end(s, slot, 0, 1, 1);
		return;
	}
	if (s->ret > 0)
		io_vector(s, slot, v.iov, v.n_iov, len);
	else if (v.n_iov <= IOV_MAX_PARTS)
		io_vector(s, slot, v.iov, v.n_iov, iov_total(s, v.iov, v.n_iov));
	if (v.name && v.name_len && v.name_len <= SMALL_MAX)
		kscap_blob_user(s, SCAP_SLOT_NAME, v.name, v.name_len, SMALL_MAX);
	if (v.control && v.control_len)
		kscap_scm_blob(s, v.control, v.control_len);
}

/* ---- the rest ------------------------------------------------------------------------------ */

static void sockaddr_out(struct kscap_scratch *s, unsigned int slot, u64 ptr, u64 len_ptr)
{
	u32 len;

	if (s->ret < 0 || !ptr || !len_ptr)
		return;
	if (kscap_ucopy(&len, len_ptr, sizeof(len)) < sizeof(len) || !len)
		return;
	kscap_blob_user(s, slot, ptr, len, SMALL_MAX);
}

/* pipe2, socketpair: both descriptors, and the files behind them. */
static void fd_pair(struct kscap_scratch *s, unsigned int slot, u64 ptr)
{
	s32 fds[2];

	if (s->ret < 0)
		return;
	kscap_blob_user(s, slot, ptr, sizeof(fds), sizeof(fds));
	if (kscap_ucopy(fds, ptr, sizeof(fds)) < sizeof(fds))
		return;
	kscap_fd_ref(s, 0, fds[0]);
	kscap_fd_ref(s, 1, fds[1]);
}

/* Roles that a table cannot say enough of. */
static void encode_by_code(struct kscap_scratch *s, unsigned int i, u8 role)
{
	u64 arg = s->args[i], next = i < 5 ? s->args[i + 1] : 0;

	switch (role) {
	case SCAP_ROLE_BUF_OUT:
		if (s->ret <= 0)
			break;
		fallthrough;
	case SCAP_ROLE_BUF_IN:
		kscap_io_buffer(s, i, arg, kscap_buffer_len(role, s->ret, next));
		break;
	case SCAP_ROLE_PATH:
		kscap_blob_user_str(s, i, arg);
		break;
	case SCAP_ROLE_STR:
		if (arg)
			kscap_blob_user_str(s, i, arg);
		break;
	case SCAP_ROLE_IOV_IN:
	case SCAP_ROLE_IOV_OUT:
		io_vector_arg(s, i, arg, next, role == SCAP_ROLE_IOV_IN);
		break;
	case SCAP_ROLE_MSG_IN:
	case SCAP_ROLE_MSG_OUT:
		message(s, i, arg, role == SCAP_ROLE_MSG_IN);
		break;
	case SCAP_ROLE_MMSG_IN:
	case SCAP_ROLE_MMSG_OUT:
		first_message(s, i, arg, role == SCAP_ROLE_MMSG_IN);
		break;
	case SCAP_ROLE_SOCKADDR_IN:
		if (arg && next)
			kscap_blob_user(s, i, arg, (u32)next, SMALL_MAX);
		break;
	case SCAP_ROLE_SOCKADDR_OUT:
		sockaddr_out(s, i, arg, next);
		break;
	case SCAP_ROLE_FD_PAIR:
		fd_pair(s, i, arg);
		break;
	case SCAP_ROLE_STATUS_OUT:
		if (s->ret > 0 && arg)
			kscap_blob_user(s, i, arg, sizeof(s32), sizeof(s32));
		break;
	case SCAP_ROLE_CLONE_ARGS:
	case SCAP_ROLE_OPEN_HOW:
		kscap_blob_user(s, i, arg, next, SMALL_MAX);
		break;
	default:
		break;
	}
}

static void encode_arg(struct kscap_scratch *s, unsigned int i, u8 role)
{
	if (role >= SCAP_VARIANT_FIRST && role < SCAP_FETCH_FIRST)
		role = kscap_variant(s, role);
	if (role >= SCAP_FETCH_FIRST && role < SCAP_ROLE_MMSG_IN)
		kscap_fetch(s, i, role);
	else
		encode_by_code(s, i, role);
}

void kscap_encode_blobs(struct kscap_scratch *s)
{
	const struct kscap_row *row = s->row;
	u32 args = row->blob_args;

	if (unlikely(row->flags & KSCAP_ROW_EXEC)) {
		kscap_exec_blobs_exit(s);
		return;
	}
	for (; args; args &= args - 1)
		encode_arg(s, __ffs(args), row->role[__ffs(args)]);
}
