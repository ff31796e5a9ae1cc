/* What the parts of the tracer share. It runs one program and has one of its system calls fail, or kills it at a known instant. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#define NAME_MAX_BYTES 256

/* calls.c: which system calls count, and what they are called. */

/* Has every call that may count stop in the tracer from here on. 0 or -errno. */
int calls_trap(void);
/*
 * Whether a call counts: those of bpf(2) and netlink, and of files below `folder`. Writes a name like bpf:MAP_CREATE or
 * openat:/folder/file.
 */
bool calls_name(pid_t pid, const struct user_regs_struct *regs, const char *folder, char name[NAME_MAX_BYTES]);
bool calls_is_map_mmap(const struct user_regs_struct *regs);

/* watch.c: stops on writes to a map's memory. */

struct watch {
	unsigned int value_bytes; /* of the map, an array of one entry; 0 = nothing is watched */
	unsigned int offset;
};

/* Call after a mmap: has the thread stop on writes at the offset if it was the watched map that was mapped at `address`. */
void watch_mapped(const struct watch *watch, pid_t tid, int fd, uint64_t address);
/* Whether a trap was such a write. */
bool watch_has_hit(pid_t tid);
