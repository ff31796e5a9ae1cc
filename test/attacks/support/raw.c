// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Frames as they are, past the stack: `raw send DEVICE` reads lines of a struct virtio_net_hdr and a frame, both in hex, and says of
 * each what sending it came to; `raw listen DEVICE MARK MS` prints what arrives in the same form until a frame that has the bytes
 * MARK in it, and fails if there is none within so many milliseconds. Neither knows what the bytes mean.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BYTES_MAX = 80 * 1024, MARK_MAX = 64 };

static unsigned char bytes[BYTES_MAX];
static char line[2 * BYTES_MAX + 2];

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A socket that sees all of the device's frames, each behind a struct virtio_net_hdr. */
static int open_device(const char *name, int protocol)
{
	const int on = 1;
	struct sockaddr_ll place = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	const int fd = socket(AF_PACKET, SOCK_RAW, htons(protocol));

	if (fd < 0 || !place.sll_ifindex || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&place, sizeof(place))) {
		perror(name);
		exit(1);
	}
	return fd;
}

static size_t parse(const char *text, unsigned char *into, size_t room)
{
	size_t count = 0;
	unsigned int byte;

	while (count < room && sscanf(text + 2 * count, "%2x", &byte) == 1)
		into[count++] = (unsigned char)byte;
	return count;
}

static int send_lines(int fd)
{
	while (fgets(line, sizeof(line), stdin)) {
		const size_t count = parse(line, bytes, sizeof(bytes));

		puts(send(fd, bytes, count, 0) == (ssize_t)count ? "ok" : strerrorname_np(errno));
	}
	return 0;
}

static int listen_until(int fd, const char *hex, long ms)
{
	unsigned char mark[MARK_MAX];
	const size_t mark_size = parse(hex, mark, sizeof(mark));
	const long end = now_ms() + ms;
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	puts("ready");
	fflush(stdout);
	for (long left = ms; left > 0; left = end - now_ms()) {
		struct sockaddr_ll from;
		socklen_t size = sizeof(from);
		ssize_t count;

		if (poll(&wait, 1, (int)left) <= 0)
			continue;
		count = recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &size);
		if (count < 0 || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		if (memmem(bytes, (size_t)count, mark, mark_size))
			return 0;
		for (ssize_t at = 0; at < count; at++)
			printf("%02x", bytes[at]);
		puts("");
	}
	fputs("the mark has not come\n", stderr);
	return 1;
}

int main(int count, char **words)
{
	if (count == 3 && !strcmp(words[1], "send"))
		return send_lines(open_device(words[2], 0));
	if (count == 5 && !strcmp(words[1], "listen"))
		return listen_until(open_device(words[2], ETH_P_ALL), words[3], atol(words[4]));
	fputs("usage: raw send DEVICE | raw listen DEVICE MARK MS\n", stderr);
	return 2;
}
