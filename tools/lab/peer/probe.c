/* A probe's life, and the TCP and UDP kinds: a destination is open only if its echo came back. Raw kinds: icmp.c, sctp.c. */
#define _GNU_SOURCE
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

static void unpend(struct probe *probe)
{
	if (!probe->pending)
		return;
	for (struct probe **link = probe->pending; *link; link = &(*link)->next_pending)
		if (*link == probe) {
			*link = probe->next_pending;
			break;
		}
	probe->pending = NULL;
}

void probe_pend(struct probe *probe, struct probe **list)
{
	probe->next_pending = *list;
	probe->pending = list;
	*list = probe;
}

static void release(struct probe *probe)
{
	/* A reset leaves no TIME_WAIT behind, which would refuse the same ports to the next probe for a minute. */
	struct linger reset = {.l_onoff = 1, .l_linger = 0};

	if (probe->transport == TRANSPORT_TCP && probe->from_port && probe->source.fd >= 0)
		setsockopt(probe->source.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	timer_disarm(&probe->deadline);
	unpend(probe);
	loop_close(&probe->source);
}

void probe_finish(struct probe *probe, const char *result, const char *detail)
{
	answer_result(probe->id, result, (double)(now_ns() - probe->started_ns) / NS_PER_MS, detail);
	release(probe);
}

void probe_fail(struct probe *probe, const char *what, int error)
{
	const char *result = result_of_errno(error);

	if (strcmp(result, "error") != 0) {
		probe_finish(probe, result, NULL);
		return;
	}
	answer_error(probe->id, what, error);
	release(probe);
}

static void on_deadline(struct timer *timer)
{
	struct probe *probe = container_of(timer, struct probe, deadline);

	probe_finish(probe, "timeout", probe->connected ? "connected, but no echo" : NULL);
}

static int socket_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

/*
 * A datagram that a tc program of this very machine drops is ENOBUFS to a socket that asks for errors (IP_RECVERR), and
 * only where its neighbour is known already: one that waits for that was sent. Lost is lost.
 */
static void send_question(struct probe *probe)
{
	const size_t length = strlen(probe->id);
	ssize_t sent;

	probe->connected = probe->transport == TRANSPORT_TCP;
	sent = send(probe->source.fd, probe->id, length, MSG_NOSIGNAL);
	if (sent == (ssize_t)length || (sent < 0 && errno == ENOBUFS))
		loop_rewatch(&probe->source, EPOLLIN);
	else
		probe_fail(probe, "send", errno);
}

static void read_echo(struct probe *probe)
{
	char bytes[ID_MAX];
	ssize_t length = recv(probe->source.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	size_t asked = strlen(probe->id);
	bool is_stream = probe->transport == TRANSPORT_TCP;

	if (length < 0 && errno == EAGAIN)
		return;
	if (length < 0)
		probe_fail(probe, "recv", errno);
	else if (is_stream && length == 0)
		probe_finish(probe, "reset", "closed before the echo");
	else if ((size_t)length <= asked && memcmp(bytes, probe->id, (size_t)length) == 0)
		probe_finish(probe, "open", NULL);
	else if (is_stream)
		probe_finish(probe, "error", "the echo is not what was sent");
	/* Else a datagram that is late: it answers an earlier probe, which had timed out and left its port to this one. */
}

static void on_ready(struct source *source, uint32_t events)
{
	struct probe *probe = container_of(source, struct probe, source);

	if (events & (EPOLLERR | EPOLLHUP)) {
		int error = socket_error(source->fd);

		if (error) {
			probe_fail(probe, "connect", error);
			return;
		}
	}
	if (events & EPOLLIN)
		read_echo(probe);
	else if (events & EPOLLOUT)
		send_question(probe);
	else if (events & EPOLLHUP)
		probe_finish(probe, "reset", "closed before the echo");
}

/* Opens, binds and connects. 0 or -errno. */
static int connect_probe(struct probe *probe)
{
	struct sockaddr_storage to, from;
	bool v6 = probe->to.family == AF_INET6;
	int on = 1, type = probe->transport == TRANSPORT_TCP ? SOCK_STREAM : SOCK_DGRAM;
	struct source *source = &probe->source;

	source->fd = socket(probe->to.family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (source->fd < 0)
		return -errno;
	source->on_ready = on_ready;
	/* Without this the kernel keeps ICMP host unreachable and its kin from the application. */
	setsockopt(source->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof(on));
	/* For TCP it frees ports in TIME_WAIT; two UDP sockets it would let share one port. */
	if (type == SOCK_STREAM)
		setsockopt(source->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (probe->from_port || probe->from.family != AF_UNSPEC) {
		struct address any = {.family = probe->to.family};
		const struct address *local = probe->from.family == AF_UNSPEC ? &any : &probe->from;
		socklen_t length = address_to_sockaddr(local, probe->from_port, &from);

		if (bind(source->fd, (struct sockaddr *)&from, length))
			return -errno;
	}
	socklen_t length = address_to_sockaddr(&probe->to, probe->to_port, &to);

	if (connect(source->fd, (struct sockaddr *)&to, length) && errno != EINPROGRESS)
		return -errno;
	return loop_watch(source, EPOLLOUT);
}

void probe_start(const struct probe *request, uint64_t timeout_ns)
{
	struct probe *probe = allocate(sizeof(*probe));
	int error;

	*probe = *request;
	probe->source.fd = -1;
	probe->started_ns = now_ns();
	probe->deadline.on_fire = on_deadline;
	timer_arm(&probe->deadline, timeout_ns);
	if (probe->transport == TRANSPORT_ICMP)
		error = icmp_probe(probe);
	else if (probe->transport == TRANSPORT_SCTP)
		error = sctp_probe(probe);
	else
		error = connect_probe(probe);
	if (error)
		probe_fail(probe, "probe", -error);
}
