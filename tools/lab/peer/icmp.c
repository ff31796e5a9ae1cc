/* ICMP echo probes for both families over two raw sockets; the answers come from the destination's kernel, not from a peer. */
#define _GNU_SOURCE
#include "peer.h"

#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* Same layout in both families: type, code, checksum, identifier, sequence. */
struct echo {
	uint8_t type, code;
	uint16_t checksum;
	uint16_t identifier, sequence;
	uint32_t token;
};

static struct source *socket_v4, *socket_v6;
static struct probe *pending;
static uint32_t last_token;

static uint16_t internet_checksum(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* Errors quote eight octets of what they answer in the worst case: identifier and sequence, but not the token. */
static struct probe *find_pending(const struct echo *echo, const struct address *to, bool has_token)
{
	for (struct probe *probe = pending; probe; probe = probe->next_pending)
		if (htons(probe->from_port) == echo->identifier && htons((uint16_t)probe->token) == echo->sequence &&
		    (!has_token || probe->token == echo->token) && address_equal(&probe->to, to))
			return probe;
	return NULL;
}

static void finish_pending(const uint8_t *bytes, size_t length, const struct address *to, bool reply)
{
	struct echo echo = {0};
	struct probe *probe;

	if (length < offsetof(struct echo, token) + (reply ? sizeof(echo.token) : 0))
		return;
	memcpy(&echo, bytes, length < sizeof(echo) ? length : sizeof(echo));
	probe = find_pending(&echo, to, reply);
	if (probe)
		probe_finish(probe, reply ? "open" : "unreachable", NULL);
}

static void on_ready_v4(struct source *source, uint32_t events)
{
	uint8_t bytes[2048];
	struct address from, unused, quoted_to = {.family = AF_INET};
	ssize_t length = address_receive(source->fd, bytes, sizeof(bytes), &from, &unused);

	(void)events;
	if (length < (ssize_t)sizeof(struct iphdr))
		return;
	size_t header = (size_t)(bytes[0] & 15) * 4;

	if ((size_t)length < header + sizeof(struct icmphdr))
		return;
	if (bytes[header] == ICMP_ECHOREPLY) {
		finish_pending(bytes + header, (size_t)length - header, &from, true);
		return;
	}
	size_t quoted = header + sizeof(struct icmphdr);

	if ((size_t)length < quoted + sizeof(struct iphdr) || bytes[quoted + offsetof(struct iphdr, protocol)] != IPPROTO_ICMP)
		return;
	size_t quoted_header = (size_t)(bytes[quoted] & 15) * 4;

	memcpy(&quoted_to.v4, bytes + quoted + offsetof(struct iphdr, daddr), sizeof(quoted_to.v4));
	if ((size_t)length > quoted + quoted_header)
		finish_pending(bytes + quoted + quoted_header, (size_t)length - quoted - quoted_header, &quoted_to, false);
}

static void on_ready_v6(struct source *source, uint32_t events)
{
	uint8_t bytes[2048];
	struct address from, unused, quoted_to = {.family = AF_INET6};
	ssize_t length = address_receive(source->fd, bytes, sizeof(bytes), &from, &unused);
	const size_t quoted = sizeof(struct icmp6_hdr), header = 40, next_header_at = 6, destination_at = 24;

	(void)events;
	if (length < (ssize_t)sizeof(struct icmp6_hdr))
		return;
	if (bytes[0] == ICMP6_ECHO_REPLY) {
		finish_pending(bytes, (size_t)length, &from, true);
		return;
	}
	if ((size_t)length <= quoted + header || bytes[quoted + next_header_at] != IPPROTO_ICMPV6)
		return;
	memcpy(&quoted_to.v6, bytes + quoted + destination_at, sizeof(quoted_to.v6));
	finish_pending(bytes + quoted + header, (size_t)length - quoted - header, &quoted_to, false);
}

static struct source *open_raw(int family, int protocol, void (*on_ready)(struct source *, uint32_t))
{
	struct source *source = allocate(sizeof(*source));

	source->fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (source->fd < 0) {
		free(source);
		return NULL;
	}
	socket_enlarge(source->fd);
	source->on_ready = on_ready;
	return source;
}

int icmp_init(void)
{
	struct icmp_filter filter_v4 = {.data = ~(1u << ICMP_ECHOREPLY | 1u << ICMP_DEST_UNREACH | 1u << ICMP_TIME_EXCEEDED)};
	struct icmp6_filter filter_v6;

	socket_v4 = open_raw(AF_INET, IPPROTO_ICMP, on_ready_v4);
	socket_v6 = open_raw(AF_INET6, IPPROTO_ICMPV6, on_ready_v6);
	if (!socket_v4 || !socket_v6)
		return -errno;
	ICMP6_FILTER_SETBLOCKALL(&filter_v6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter_v6);
	ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &filter_v6);
	ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &filter_v6);
	if (setsockopt(socket_v4->fd, SOL_RAW, ICMP_FILTER, &filter_v4, sizeof(filter_v4)) ||
	    setsockopt(socket_v6->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter_v6, sizeof(filter_v6)))
		return -errno;
	int error = loop_watch(socket_v4, EPOLLIN);

	return error ? error : loop_watch(socket_v6, EPOLLIN);
}

int icmp_probe(struct probe *probe)
{
	bool v6 = probe->to.family == AF_INET6;
	struct echo echo = {.type = v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO};

	probe->token = ++last_token;
	if (!probe->from_port)
		probe->from_port = (uint16_t)(probe->token % 0xffff + 1);
	echo.identifier = htons(probe->from_port);
	echo.sequence = htons((uint16_t)probe->token);
	echo.token = probe->token;
	/* The kernel fills in ICMPv6's checksum itself: it covers addresses that are not chosen yet. */
	if (!v6)
		echo.checksum = internet_checksum(&echo, sizeof(echo));
	probe_pend(probe, &pending);
	return address_send(v6 ? socket_v6->fd : socket_v4->fd, &probe->from, &probe->to, &echo, sizeof(echo));
}
