/* Which system calls of the traced program count as points where it can be hit, and their names. x86-64. */
#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))

enum shape { SHAPE_BPF, SHAPE_SOCKET, SHAPE_NETLINK, SHAPE_PATH, SHAPE_PATH_AT, SHAPE_FILE, SHAPE_MMAP };

static const struct call {
	int number;
	enum shape shape;
	const char *name;
} calls[] = {
	{SYS_bpf, SHAPE_BPF, "bpf"},
	{SYS_socket, SHAPE_SOCKET, "socket"},
	{SYS_bind, SHAPE_NETLINK, "bind"},
	{SYS_sendto, SHAPE_NETLINK, "sendto"},
	{SYS_sendmsg, SHAPE_NETLINK, "sendmsg"},
	{SYS_recvfrom, SHAPE_NETLINK, "recvfrom"},
	{SYS_recvmsg, SHAPE_NETLINK, "recvmsg"},
	{SYS_open, SHAPE_PATH, "open"},
	{SYS_rename, SHAPE_PATH, "rename"},
	{SYS_unlink, SHAPE_PATH, "unlink"},
	{SYS_rmdir, SHAPE_PATH, "rmdir"},
	{SYS_mkdir, SHAPE_PATH, "mkdir"},
	{SYS_chmod, SHAPE_PATH, "chmod"},
	{SYS_openat, SHAPE_PATH_AT, "openat"},
	{SYS_mkdirat, SHAPE_PATH_AT, "mkdirat"},
	{SYS_unlinkat, SHAPE_PATH_AT, "unlinkat"},
	{SYS_renameat, SHAPE_PATH_AT, "renameat"},
	{SYS_inotify_add_watch, SHAPE_PATH_AT, "inotify_add_watch"},
	{SYS_statx, SHAPE_PATH_AT, "statx"},
	{SYS_read, SHAPE_FILE, "read"},
	{SYS_pread64, SHAPE_FILE, "pread64"},
	{SYS_write, SHAPE_FILE, "write"},
	{SYS_pwrite64, SHAPE_FILE, "pwrite64"},
	{SYS_writev, SHAPE_FILE, "writev"},
	{SYS_fsync, SHAPE_FILE, "fsync"},
	{SYS_fdatasync, SHAPE_FILE, "fdatasync"},
	{SYS_ftruncate, SHAPE_FILE, "ftruncate"},
	{SYS_flock, SHAPE_FILE, "flock"},
	{SYS_getdents64, SHAPE_FILE, "getdents64"},
	{SYS_mmap, SHAPE_MMAP, "mmap"},
};

static const char *const bpf_commands[] = {
	[BPF_MAP_CREATE] = "MAP_CREATE",
	[BPF_MAP_LOOKUP_ELEM] = "MAP_LOOKUP_ELEM",
	[BPF_MAP_UPDATE_ELEM] = "MAP_UPDATE_ELEM",
	[BPF_MAP_DELETE_ELEM] = "MAP_DELETE_ELEM",
	[BPF_MAP_GET_NEXT_KEY] = "MAP_GET_NEXT_KEY",
	[BPF_PROG_LOAD] = "PROG_LOAD",
	[BPF_OBJ_PIN] = "OBJ_PIN",
	[BPF_OBJ_GET] = "OBJ_GET",
	[BPF_PROG_TEST_RUN] = "PROG_TEST_RUN",
	[BPF_OBJ_GET_INFO_BY_FD] = "OBJ_GET_INFO_BY_FD",
	[BPF_PROG_QUERY] = "PROG_QUERY",
	[BPF_BTF_LOAD] = "BTF_LOAD",
	[BPF_MAP_FREEZE] = "MAP_FREEZE",
	[BPF_MAP_LOOKUP_BATCH] = "MAP_LOOKUP_BATCH",
	[BPF_MAP_UPDATE_BATCH] = "MAP_UPDATE_BATCH",
	[BPF_LINK_CREATE] = "LINK_CREATE",
	[BPF_LINK_UPDATE] = "LINK_UPDATE",
	[BPF_LINK_DETACH] = "LINK_DETACH",
	[BPF_PROG_BIND_MAP] = "PROG_BIND_MAP",
};

int calls_trap(void)
{
	struct sock_filter filter[COUNT_OF(calls) * 2 + 2];
	size_t length = 0;

	filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)calls[i].number, 0, 1);
		filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {.len = (unsigned short)length, .filter = filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return -errno;
	return 0;
}

/* A string of the traced program, as far as it can be read. */
static void read_text(pid_t pid, uint64_t address, char text[NAME_MAX_BYTES])
{
	struct iovec here = {text, NAME_MAX_BYTES - 1}, there = {(void *)address, NAME_MAX_BYTES - 1};
	/* A string may end right before memory that is not there. */
	size_t to_page_end = 4096 - address % 4096;
	ssize_t length;

	if (process_vm_readv(pid, &here, 1, &there, 1, 0) < 0 && to_page_end < NAME_MAX_BYTES - 1) {
		there.iov_len = to_page_end;
		length = process_vm_readv(pid, &here, 1, &there, 1, 0);
		text[length > 0 ? length : 0] = '\0';
	}
	text[NAME_MAX_BYTES - 1] = '\0';
}

static void read_descriptor(pid_t pid, int fd, char path[NAME_MAX_BYTES])
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
	ssize_t length = readlink(link, path, NAME_MAX_BYTES - 1);

	path[length > 0 ? length : 0] = '\0';
}

static bool name_bpf(const struct user_regs_struct *regs, char name[NAME_MAX_BYTES])
{
	size_t command = (size_t)regs->rdi;

	if (command < COUNT_OF(bpf_commands) && bpf_commands[command])
		snprintf(name, NAME_MAX_BYTES, "bpf:%s", bpf_commands[command]);
	else
		snprintf(name, NAME_MAX_BYTES, "bpf:%zu", command);
	return true;
}

static bool name_path(const char *call, const char *path, const char *folder, char name[NAME_MAX_BYTES])
{
	if (strncmp(path, folder, strlen(folder)) != 0)
		return false;
	snprintf(name, NAME_MAX_BYTES, "%.32s:%.200s", call, path + strlen(folder));
	return true;
}

bool calls_is_map_mmap(const struct user_regs_struct *regs)
{
	return regs->orig_rax == SYS_mmap && (regs->r10 & MAP_SHARED) && (int)regs->r8 >= 0;
}

bool calls_name(pid_t pid, const struct user_regs_struct *regs, const char *folder, char name[NAME_MAX_BYTES])
{
	char path[NAME_MAX_BYTES] = "";

	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		const struct call *call = &calls[i];

		if ((unsigned long long)call->number != regs->orig_rax)
			continue;
		switch (call->shape) {
		case SHAPE_BPF:
			return name_bpf(regs, name);
		case SHAPE_SOCKET:
			snprintf(name, NAME_MAX_BYTES, "%s:netlink", call->name);
			return regs->rdi == AF_NETLINK;
		case SHAPE_NETLINK:
			read_descriptor(pid, (int)regs->rdi, path);
			snprintf(name, NAME_MAX_BYTES, "%s:netlink", call->name);
			return strncmp(path, "socket:", 7) == 0;
		case SHAPE_PATH:
			read_text(pid, regs->rdi, path);
			return name_path(call->name, path, folder, name);
		case SHAPE_PATH_AT:
			read_text(pid, regs->rsi, path);
			return name_path(call->name, path, folder, name);
		case SHAPE_FILE:
			read_descriptor(pid, (int)regs->rdi, path);
			return name_path(call->name, path, folder, name);
		case SHAPE_MMAP:
			if (!calls_is_map_mmap(regs))
				return false;
			read_descriptor(pid, (int)regs->r8, path);
			snprintf(name, NAME_MAX_BYTES, "mmap:map");
			return strcmp(path, "anon_inode:bpf-map") == 0;
		}
	}
	return false;
}
