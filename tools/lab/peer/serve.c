/* TCP and UDP echo servers, one socket per port for both families. */
#define _GNU_SOURCE
#include "peer.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define ECHO_BUFFER 4096
#define BACKLOG 4096

struct connection {
	struct source source;
	size_t held, sent; /* bytes of `buffer` read, and of those sent back */
	char buffer[ECHO_BUFFER];
};

static void echo_stream(struct source *source, uint32_t events)
{
	struct connection *connection = container_of(source, struct connection, source);

	(void)events;
	if (connection->held == 0) {
		ssize_t length = recv(source->fd, connection->buffer, sizeof(connection->buffer), MSG_DONTWAIT);

		if (length < 0 && errno == EAGAIN)
			return;
		if (length <= 0) {
			loop_close(source);
			return;
		}
		connection->held = (size_t)length;
	}
	ssize_t length = send(source->fd, connection->buffer + connection->sent, connection->held - connection->sent,
			      MSG_DONTWAIT | MSG_NOSIGNAL);

	if (length < 0 && errno != EAGAIN) {
		loop_close(source);
		return;
	}
	if (length > 0)
		connection->sent += (size_t)length;
	if (connection->sent == connection->held)
		connection->sent = connection->held = 0;
	/* Back-pressure: what has not gone out stops what comes in. */
	loop_rewatch(source, connection->held ? EPOLLOUT : EPOLLIN);
}

static void accept_connection(struct source *listener, uint32_t events)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int on = 1;

	(void)events;
	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	struct connection *connection = allocate(sizeof(*connection));

	connection->source.fd = fd;
	connection->source.on_ready = echo_stream;
	if (loop_watch(&connection->source, EPOLLIN))
		loop_close(&connection->source);
}

static void echo_datagram(struct source *source, uint32_t events)
{
	char bytes[2048], control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct sockaddr_storage from;
	struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t length = recvmsg(source->fd, &message, MSG_DONTWAIT);

	(void)events;
	if (length < 0)
		return;
	part.iov_len = (size_t)length;
	/*
	 * The received IPV6_PKTINFO goes back unchanged but for the interface: the answer leaves from the address that was
	 * asked, by whatever route leads back.
	 */
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
		if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO)
			memset(CMSG_DATA(header) + offsetof(struct in6_pktinfo, ipi6_ifindex), 0, sizeof(int));
	(void)sendmsg(source->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A dual-stack socket bound to the port on every address; a file descriptor or -errno. */
static int bind_port(int type, uint16_t port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_ANY_INIT};
	int on = 1, off = 0;
	int fd = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (type == SOCK_DGRAM)
		socket_enlarge(fd);
	else /* for UDP it would let a second server share the port in silence */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) || (type == SOCK_STREAM && listen(fd, BACKLOG))) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

static int serve(int type, uint16_t port, void (*on_ready)(struct source *, uint32_t))
{
	int fd = bind_port(type, port);

	if (fd < 0)
		return fd;
	struct source *source = allocate(sizeof(*source));

	source->fd = fd;
	source->on_ready = on_ready;
	return loop_watch(source, EPOLLIN);
}

int serve_tcp(uint16_t port)
{
	return serve(SOCK_STREAM, port, accept_connection);
}

int serve_udp(uint16_t port)
{
	return serve(SOCK_DGRAM, port, echo_datagram);
}
