/* The end that sends: a packet of every flow at every tick. */
#define _GNU_SOURCE
#include "witness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every so many ticks a connection is opened, a tenth as often as a datagram is sent. */
#define SYN_TICKS 10

void flow_add(char *text)
{
	static const char *const names[] = {"udp", "new", "syn", "tcp"};
	char *kind = strtok(text, ","), *address = strtok(NULL, ","), *port = strtok(NULL, ",");
	struct flow *flow = calloc(1, sizeof(*flow));
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	errno = EINVAL;
	if (!flow || !port || flow_count == FLOWS_MAX)
		fail("flow");
	for (flow->kind = KIND_UDP; strcmp(names[flow->kind], kind); flow->kind++)
		if (flow->kind == KIND_TCP)
			fail(kind);
	v4.sin_port = v6.sin6_port = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		memcpy(&flow->to, &v4, flow->to_size = sizeof(v4));
	else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
		memcpy(&flow->to, &v6, flow->to_size = sizeof(v6));
	else
		fail(address);
	receive_add_port((uint16_t)atoi(port));
	flow->fd = -1;
	for (unsigned int i = 0; i < PENDING; i++)
		flow->connecting[i] = -1;
	flows[flow_count++] = flow;
}

void send_start(void)
{
	for (unsigned int i = 0; i < flow_count; i++) {
		struct flow *flow = flows[i];

		if (flow->kind == KIND_UDP)
			flow->fd = open_socket(flow->to.ss_family, SOCK_DGRAM);
		if (flow->kind != KIND_TCP)
			continue;
		flow->fd = open_socket(flow->to.ss_family, SOCK_STREAM);
		if (connect(flow->fd, (struct sockaddr *)&flow->to, flow->to_size) && errno != EINPROGRESS)
			fail("connect");
	}
}

static struct record *begin(unsigned int number, struct flow *flow)
{
	struct record *record = &flow->pending[flow->sent % PENDING];

	*record = (struct record){.flow = (uint16_t)number, .fate = FATE_OPEN, .number = flow->sent, .sent_ns = now_ns()};
	return record;
}

static void send_datagram(unsigned int number, struct flow *flow)
{
	struct message message = {number, flow->sent};
	int fd = flow->kind == KIND_NEW ? open_socket(flow->to.ss_family, SOCK_DGRAM) : flow->fd;

	begin(number, flow);
	if (sendto(fd, &message, sizeof(message), 0, (struct sockaddr *)&flow->to, flow->to_size) == sizeof(message))
		flow->sent++;
	if (fd != flow->fd)
		close(fd);
}

static void send_message(unsigned int number, struct flow *flow)
{
	struct message message = {number, flow->partial ? flow->sent - 1 : flow->sent};
	bool is_new = flow->partial == 0;

	if (is_new)
		begin(number, flow);
	ssize_t length = send(flow->fd, (char *)&message + flow->partial, sizeof(message) - flow->partial, MSG_NOSIGNAL);

	if (length <= 0)
		return;
	if (is_new)
		flow->sent++;
	flow->partial = (flow->partial + (size_t)length) % sizeof(message);
}

static void open_connection(unsigned int number, struct flow *flow)
{
	int fd = open_socket(flow->to.ss_family, SOCK_STREAM);
	struct linger reset = {.l_onoff = 1};
	struct record *record = begin(number, flow);

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (connect(fd, (struct sockaddr *)&flow->to, flow->to_size) && errno != EINPROGRESS) {
		close(fd);
		return;
	}
	flow->connecting[record->number % PENDING] = fd;
	flow->sent++;
}

void send_all(unsigned long tick)
{
	for (unsigned int i = 0; i < flow_count; i++) {
		struct flow *flow = flows[i];

		if (flow->kind == KIND_UDP || flow->kind == KIND_NEW)
			send_datagram(i, flow);
		else if (flow->kind == KIND_TCP)
			send_message(i, flow);
		else if (tick % SYN_TICKS == i % SYN_TICKS)
			open_connection(i, flow);
	}
}

/* Writable and without an error: its handshake is done. */
static void look_at_connecting(struct flow *flow)
{
	for (uint32_t number = flow->told; number < flow->sent; number++) {
		int *fd = &flow->connecting[number % PENDING];
		struct pollfd poll_fd = {.fd = *fd, .events = POLLOUT};
		struct record *record = &flow->pending[number % PENDING];
		uint64_t now = now_ns();

		if (*fd < 0)
			continue;
		if (poll(&poll_fd, 1, 0) == 1) {
			if (!(poll_fd.revents & (POLLERR | POLLHUP))) {
				record->fate = FATE_CAME;
				record->came_ns = now;
			}
		} else if (now - record->sent_ns < SYN_NS)
			continue;
		close(*fd);
		*fd = -1;
	}
}

void look_at_connections(void)
{
	for (unsigned int i = 0; i < flow_count; i++)
		if (flows[i]->kind == KIND_SYN)
			look_at_connecting(flows[i]);
}
