/*
 * Enough SCTP to open an association (RFC 9260 section 5.1: INIT, INIT ACK), over raw sockets, because kernels may come without it.
 * A kernel without SCTP also answers protocol 132 with ICMP protocol unreachable; nothing here listens to that.
 */
#define _GNU_SOURCE
#include "peer.h"

#include <endian.h>
#include <errno.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

enum { CHUNK_INIT = 1, CHUNK_INIT_ACK = 2, CHUNK_ABORT = 6, PARAMETER_STATE_COOKIE = 7 };

#define FIRST_PORT 20000
#define PORT_COUNT 40000
#define COOKIE_SIZE 16
#define RECEIVE_WINDOW 65536

struct common_header {
	uint16_t source_port, destination_port;
	uint32_t verification_tag;
	uint32_t checksum;
};

struct chunk_header {
	uint8_t type, flags;
	uint16_t length;
};

struct init_chunk {
	struct chunk_header header;
	uint32_t initiate_tag, receive_window;
	uint16_t outbound_streams, inbound_streams;
	uint32_t initial_tsn;
};

struct packet {
	struct common_header common;
	union {
		struct chunk_header chunk;
		struct init_chunk init;
	};
	struct {
		uint16_t type, length;
		uint8_t bytes[COOKIE_SIZE];
	} cookie;
};

static struct source *socket_v4, *socket_v6;
static struct probe *pending;
static uint8_t listening[65536 / 8];
static uint16_t next_port;

/* Castagnoli, bit-reflected. Packets here are under 64 bytes: a table would not pay. */
static uint32_t crc32c(const uint8_t *bytes, size_t length)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static uint32_t random_tag(void)
{
	uint32_t tag = 0;

	while (tag == 0)
		if (getrandom(&tag, sizeof(tag), 0) != sizeof(tag))
			tag = (uint32_t)now_ns();
	return tag;
}

static bool has_valid_checksum(uint8_t *bytes, size_t length)
{
	uint32_t zero = 0, found;

	memcpy(&found, bytes + offsetof(struct common_header, checksum), sizeof(found));
	memcpy(bytes + offsetof(struct common_header, checksum), &zero, sizeof(zero));
	return le32toh(found) == crc32c(bytes, length);
}

static int send_packet(const struct address *from, const struct address *to, struct packet *packet, size_t length)
{
	packet->common.checksum = 0;
	packet->common.checksum = htole32(crc32c((uint8_t *)packet, length));
	return address_send(to->family == AF_INET6 ? socket_v6->fd : socket_v4->fd, from, to, packet, length);
}

static void fill_init(struct packet *packet, uint8_t type, uint32_t initiate_tag, size_t length)
{
	packet->init = (struct init_chunk){
		.header = {.type = type, .length = htons((uint16_t)length)},
		.initiate_tag = htonl(initiate_tag),
		.receive_window = htonl(RECEIVE_WINDOW),
		.outbound_streams = htons(1),
		.inbound_streams = htons(1),
		.initial_tsn = htonl(initiate_tag),
	};
}

/* A listening port accepts; any other aborts, as a real stack does. */
static void answer_init(const struct packet *request, const struct address *from, const struct address *to)
{
	uint16_t port = ntohs(request->common.destination_port);
	struct packet reply = {
		.common = {.source_port = request->common.destination_port,
			   .destination_port = request->common.source_port,
			   .verification_tag = request->init.initiate_tag},
	};
	size_t length;

	if (listening[port / 8] & 1 << port % 8) {
		length = sizeof(reply);
		fill_init(&reply, CHUNK_INIT_ACK, random_tag(), sizeof(reply.init) + sizeof(reply.cookie));
		reply.cookie.type = htons(PARAMETER_STATE_COOKIE);
		reply.cookie.length = htons(sizeof(reply.cookie));
	} else {
		length = sizeof(reply.common) + sizeof(reply.chunk);
		reply.chunk = (struct chunk_header){.type = CHUNK_ABORT, .length = htons(sizeof(reply.chunk))};
	}
	(void)send_packet(to, from, &reply, length);
}

static void finish_pending(const struct packet *reply, const struct address *from, const char *result)
{
	for (struct probe *probe = pending; probe; probe = probe->next_pending)
		if (htonl(probe->token) == reply->common.verification_tag &&
		    htons(probe->from_port) == reply->common.destination_port &&
		    htons(probe->to_port) == reply->common.source_port && address_equal(&probe->to, from)) {
			probe_finish(probe, result, NULL);
			return;
		}
}

static void handle_packet(uint8_t *bytes, size_t length, const struct address *from, const struct address *to)
{
	struct packet packet = {0};

	if (length < sizeof(packet.common) + sizeof(packet.chunk) || !has_valid_checksum(bytes, length))
		return;
	memcpy(&packet, bytes, length < sizeof(packet) ? length : sizeof(packet));
	bool has_init = length >= sizeof(packet.common) + sizeof(packet.init);

	if (packet.chunk.type == CHUNK_INIT && has_init && packet.common.verification_tag == 0)
		answer_init(&packet, from, to);
	else if (packet.chunk.type == CHUNK_INIT_ACK && has_init)
		finish_pending(&packet, from, "open");
	else if (packet.chunk.type == CHUNK_ABORT)
		finish_pending(&packet, from, "refused");
}

static void on_ready(struct source *source, uint32_t events)
{
	uint8_t bytes[2048];
	struct address from, to;
	ssize_t length = address_receive(source->fd, bytes, sizeof(bytes), &from, &to);
	size_t header = 0;

	(void)events;
	if (length <= 0)
		return;
	/* Raw IPv4 sockets deliver the IP header, raw IPv6 sockets do not. */
	if (source == socket_v4)
		header = (size_t)(bytes[0] & 15) * 4;
	if ((size_t)length > header)
		handle_packet(bytes + header, (size_t)length - header, &from, &to);
}

static int open_raw(int family, struct source **out)
{
	struct source *source = allocate(sizeof(*source));
	int on = 1;

	source->fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_SCTP);
	if (source->fd < 0)
		return -errno;
	if (family == AF_INET)
		setsockopt(source->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	else
		setsockopt(source->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	socket_enlarge(source->fd);
	source->on_ready = on_ready;
	*out = source;
	return loop_watch(source, EPOLLIN);
}

int sctp_init(void)
{
	int error = open_raw(AF_INET, &socket_v4);

	return error ? error : open_raw(AF_INET6, &socket_v6);
}

void sctp_listen(uint16_t port)
{
	listening[port / 8] |= (uint8_t)(1 << port % 8);
}

int sctp_probe(struct probe *probe)
{
	struct packet packet = {0};

	probe->token = random_tag();
	if (!probe->from_port)
		probe->from_port = (uint16_t)(FIRST_PORT + next_port++ % PORT_COUNT);
	packet.common.source_port = htons(probe->from_port);
	packet.common.destination_port = htons(probe->to_port);
	fill_init(&packet, CHUNK_INIT, probe->token, sizeof(packet.init));
	probe_pend(probe, &pending);
	return send_packet(&probe->from, &probe->to, &packet, sizeof(packet.common) + sizeof(packet.init));
}
