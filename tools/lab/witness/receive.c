/* The end that receives: every port by UDP and TCP, and what became of each packet that was sent. */
#define _GNU_SOURCE
#include "witness.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PORTS_MAX 64
#define CONNECTIONS_MAX 1024

struct connection {
	int fd;
	struct message partial;
	size_t size;
};

static int datagram_fds[PORTS_MAX], listener_fds[PORTS_MAX];
static uint16_t ports[PORTS_MAX];
static unsigned int port_count;
static struct connection connections[CONNECTIONS_MAX];
static unsigned int connection_count;

void receive_add_port(uint16_t port)
{
	for (unsigned int i = 0; i < port_count; i++)
		if (ports[i] == port)
			return;
	if (port_count == PORTS_MAX)
		fail("too many ports");
	ports[port_count++] = port;
}

static int serve(int type, uint16_t port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_ANY_INIT};
	int fd = open_socket(AF_INET6, type), off = 0, on = 1, size = 4 << 20;

	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) || (type == SOCK_STREAM && listen(fd, 4096)))
		fail("serve");
	return fd;
}

void receive_start(void)
{
	for (unsigned int i = 0; i < port_count; i++) {
		datagram_fds[i] = serve(SOCK_DGRAM, ports[i]);
		listener_fds[i] = serve(SOCK_STREAM, ports[i]);
	}
}

static void came(uint32_t flow_number, uint32_t number, uint64_t at_ns)
{
	struct flow *flow = flow_number < flow_count ? flows[flow_number] : NULL;

	if (!flow || number >= flow->sent)
		return;
	struct record *record = &flow->pending[number % PENDING];

	if (number >= flow->told) {
		if (record->fate != FATE_OPEN)
			return;
		record->fate = FATE_CAME;
		record->came_ns = at_ns;
	} else {
		struct record late = {(uint16_t)flow_number, FATE_LATE, number, at_ns, at_ns};

		tell(&late);
	}
}

/* As recv. *at_ns: when the kernel had it from the interface, which on a busy machine may be long before it is read. */
static ssize_t receive_stamped(int fd, void *to, size_t size, uint64_t *at_ns)
{
	char control[CMSG_SPACE(sizeof(struct timespec))];
	struct iovec part = {to, size};
	struct msghdr header = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t length = recvmsg(fd, &header, MSG_DONTWAIT);
	struct timespec real, stamp;

	*at_ns = now_ns();
	clock_gettime(CLOCK_REALTIME, &real);
	for (struct cmsghdr *one = CMSG_FIRSTHDR(&header); length > 0 && one; one = CMSG_NXTHDR(&header, one)) {
		if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SO_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(one), sizeof(stamp));
		*at_ns -= (uint64_t)((real.tv_sec - stamp.tv_sec) * 1000000000ll + real.tv_nsec - stamp.tv_nsec);
	}
	return length;
}

static void receive_datagrams(void)
{
	struct message message;

	for (unsigned int i = 0; i < port_count; i++)
		for (uint64_t at_ns; receive_stamped(datagram_fds[i], &message, sizeof(message), &at_ns) == sizeof(message);)
			came(message.flow, message.number, at_ns);
}

static void accept_connections(void)
{
	for (unsigned int i = 0; i < port_count; i++)
		for (int fd; (fd = accept4(listener_fds[i], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
			if (connection_count == CONNECTIONS_MAX)
				close(fd);
			else
				connections[connection_count++] = (struct connection){.fd = fd};
		}
}

/* false = it has ended. */
static bool read_connection(struct connection *connection)
{
	for (;;) {
		uint64_t at_ns;
		ssize_t length = receive_stamped(connection->fd, (char *)&connection->partial + connection->size,
						 sizeof(struct message) - connection->size, &at_ns);

		if (length <= 0)
			return length < 0 && errno == EAGAIN;
		connection->size += (size_t)length;
		if (connection->size < sizeof(struct message))
			continue;
		connection->size = 0;
		came(connection->partial.flow, connection->partial.number, at_ns);
	}
}

void receive_all(void)
{
	receive_datagrams();
	accept_connections();
	for (unsigned int i = 0; i < connection_count;) {
		if (read_connection(&connections[i])) {
			i++;
			continue;
		}
		close(connections[i].fd);
		connections[i] = connections[--connection_count];
	}
}
