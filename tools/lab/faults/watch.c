/* Hardware watchpoints on the memory of a mapped array: the thread stops right behind the store that changed it. x86-64. */
#define _GNU_SOURCE
#include "faults.h"

#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>

#define REGISTERS 4
#define DEBUG_REGISTER(number) (offsetof(struct user, u_debugreg) + (number) * sizeof(long))

static uint64_t watched[REGISTERS];

/* Arrays of one entry are told apart by the size of it. */
static bool is_watched(const struct watch *watch, pid_t tid, int fd)
{
	char path[64], line[128];
	unsigned int type = 0, value_bytes = 0, entries = 0;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", tid, fd);
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "map_type: %u", &type);
		sscanf(line, "value_size: %u", &value_bytes);
		sscanf(line, "max_entries: %u", &entries);
	}
	fclose(file);
	return value_bytes == watch->value_bytes && entries == 1;
}

void watch_mapped(const struct watch *watch, pid_t tid, int fd, uint64_t address)
{
	unsigned long control = 0;
	int free_register = 0;

	if (watch->value_bytes == 0 || !is_watched(watch, tid, fd))
		return;
	while (free_register < REGISTERS && watched[free_register])
		free_register++;
	if (free_register == REGISTERS)
		return;
	watched[free_register] = address + watch->offset;
	ptrace(PTRACE_POKEUSER, tid, DEBUG_REGISTER(free_register), watched[free_register]);
	/* Enabled for this thread (bit 2n), on writes (1) of four bytes (3). */
	for (int i = 0; i <= free_register; i++)
		control |= 1ul << (2 * i) | (1ul | 3ul << 2) << (16 + 4 * i);
	if (ptrace(PTRACE_POKEUSER, tid, DEBUG_REGISTER(7), control))
		perror("faults: watch");
}

bool watch_has_hit(pid_t tid)
{
	long status = ptrace(PTRACE_PEEKUSER, tid, DEBUG_REGISTER(6), 0);

	if ((status & ((1 << REGISTERS) - 1)) == 0)
		return false;
	ptrace(PTRACE_POKEUSER, tid, DEBUG_REGISTER(6), 0);
	return true;
}
