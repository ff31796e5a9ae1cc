/*
 * The witness: sends numbered packets from one network namespace to another and says of each when it was sent and when it came,
 * if it came. One process holds both ends, so one clock tells both times. What ought to come is not known here.
 *
 * witness <client netns> <server netns> <tick> <flow>...   flow = kind,address,port   kind = udp | new | syn | tcp
 *   tick = microseconds between two packets of a flow
 *   udp  one socket for all datagrams     new  a source port of its own for each datagram
 *   tcp  one connection for all messages  syn  a connection for each
 * Ends with standard input. Writes one struct record for each packet, in the order of their fate being known.
 */
#define _GNU_SOURCE
#include "witness.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct flow *flows[FLOWS_MAX];
unsigned int flow_count;

void fail(const char *what)
{
	fprintf(stderr, "witness: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 * NS_PER_MS + (uint64_t)now.tv_nsec;
}

int open_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		fail("socket");
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

void tell(const struct record *record)
{
	if (fwrite(record, sizeof(*record), 1, stdout) != 1)
		exit(0); /* nobody listens any more */
}

static void enter(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail(path);
	close(fd);
}

/* TCP sends again what is lost: what it carries is only ever told of once it came, or at the very end. */
static void tell_fates(bool is_end)
{
	uint64_t now = now_ns();

	for (unsigned int i = 0; i < flow_count; i++)
		for (struct flow *flow = flows[i]; flow->told < flow->sent; flow->told++) {
			struct record *record = &flow->pending[flow->told % PENDING];
			bool is_full = flow->sent - flow->told == PENDING - 1;

			if (record->fate == FATE_OPEN) {
				if (!is_end && !is_full && (flow->kind == KIND_TCP || now - record->sent_ns < PATIENCE_NS))
					break;
				record->fate = FATE_LOST;
			}
			tell(record);
		}
	fflush(stdout);
}

static bool is_asked_to_end(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&input, 1, 0) == 1;
}

int main(int count, char **words)
{
	struct rlimit files = {65536, 65536};
	uint64_t next, tick_ns;

	if (count < 5) {
		fputs("usage: witness <client netns> <server netns> <tick> <kind,address,port>...\n", stderr);
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	tick_ns = strtoull(words[3], NULL, 10) * 1000;
	for (int i = 4; i < count; i++)
		flow_add(words[i]);
	enter(words[2]);
	receive_start();
	enter(words[1]);
	send_start();
	next = now_ns();
	for (unsigned long tick = 0; !is_asked_to_end(); tick++) {
		struct timespec at;

		send_all(tick);
		receive_all();
		look_at_connections();
		tell_fates(false);
		/* A machine that was busy elsewhere is not caught up with: each packet stays one of its own time. */
		next = next + tick_ns > now_ns() ? next + tick_ns : now_ns() + tick_ns;
		at = (struct timespec){(time_t)(next / (1000 * NS_PER_MS)), (long)(next % (1000 * NS_PER_MS))};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	}
	for (uint64_t end = now_ns() + LINGER_NS + SYN_NS; now_ns() < end; usleep(1000)) {
		receive_all();
		look_at_connections();
	}
	tell_fates(true);
	return 0;
}
