/* Long-lived TCP connections that count: does a connection survive what is done to the host, and with what gap. */
#define _GNU_SOURCE
#include "peer.h"

#include <errno.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/epoll.h>

#define REPORT_EVERY_NS (100 * NS_PER_MS)
#define STALL_AT_LEAST_NS (250 * NS_PER_MS)
#define STALL_INTERVALS 5

struct stream {
	struct source source;
	struct timer tick;
	char id[ID_MAX];
	uint64_t interval_ns;
	uint64_t sent, echoed; /* counters written, counters read back */
	uint64_t echoed_ns, reported_ns, gap_ns; /* gap: the longest wait for an echo since the last report */
	bool connected, stalled;
	uint8_t partial[sizeof(uint64_t)];
	size_t partial_size;
	struct stream *next;
};

static struct stream *streams;

/*
 * Segments that did not arrive at once: what this end sent again (but for what the other end then had twice, which it
 * reports by RFC 2883), and what this end got after a hole. Unlike a gap, which a busy machine makes too, they tell of
 * packets that were dropped or overtaken.
 */
static uint64_t count_lost(const struct stream *stream)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	if (stream->source.fd < 0 || getsockopt(stream->source.fd, IPPROTO_TCP, TCP_INFO, &info, &size))
		return 0;
	uint32_t needed = info.tcpi_total_retrans > info.tcpi_dsack_dups ? info.tcpi_total_retrans - info.tcpi_dsack_dups : 0;

	return (uint64_t)needed + info.tcpi_rcv_ooopack;
}

static void report(struct stream *stream, const char *state, const char *detail)
{
	answer_stream(stream->id, state, stream->echoed, (double)stream->gap_ns / NS_PER_MS, count_lost(stream), detail);
	stream->reported_ns = now_ns();
	stream->gap_ns = 0;
}

static void release(struct stream *stream)
{
	for (struct stream **link = &streams; *link; link = &(*link)->next)
		if (*link == stream) {
			*link = stream->next;
			break;
		}
	timer_disarm(&stream->tick);
	loop_close(&stream->source);
}

static void end(struct stream *stream, int error)
{
	report(stream, error ? result_of_errno(error) : "closed", error ? strerrordesc_np(error) : NULL);
	release(stream);
}

static void count_echo(struct stream *stream)
{
	uint64_t now = now_ns(), gap = now - stream->echoed_ns;

	stream->echoed++;
	stream->echoed_ns = now;
	if (gap > stream->gap_ns)
		stream->gap_ns = gap;
	if (stream->stalled || now - stream->reported_ns >= REPORT_EVERY_NS)
		report(stream, "alive", NULL);
	stream->stalled = false;
}

/* Every counter must come back whole and in order: a dataplane that mangles or replays a segment is caught here. */
static bool read_counters(struct stream *stream)
{
	for (;;) {
		ssize_t length = recv(stream->source.fd, stream->partial + stream->partial_size,
				      sizeof(stream->partial) - stream->partial_size, MSG_DONTWAIT);

		if (length < 0 && errno == EAGAIN)
			return true;
		if (length <= 0) {
			end(stream, length < 0 ? errno : 0);
			return false;
		}
		stream->partial_size += (size_t)length;
		if (stream->partial_size < sizeof(stream->partial))
			continue;
		uint64_t counter;

		memcpy(&counter, stream->partial, sizeof(counter));
		stream->partial_size = 0;
		if (counter != stream->echoed) {
			report(stream, "corrupt", "the echo is not what was sent");
			release(stream);
			return false;
		}
		count_echo(stream);
	}
}

static void on_ready(struct source *source, uint32_t events)
{
	struct stream *stream = container_of(source, struct stream, source);
	int error = 0;
	socklen_t size = sizeof(error);

	if (events & (EPOLLERR | EPOLLHUP)) {
		getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &error, &size);
		end(stream, error);
		return;
	}
	if ((events & EPOLLOUT) && !stream->connected) {
		stream->connected = true;
		stream->echoed_ns = now_ns();
		loop_rewatch(source, EPOLLIN);
		report(stream, "connected", NULL);
	}
	if (events & EPOLLIN)
		read_counters(stream);
}

static bool send_counter(struct stream *stream)
{
	ssize_t length = send(stream->source.fd, &stream->sent, sizeof(stream->sent), MSG_DONTWAIT | MSG_NOSIGNAL);

	if (length < 0 && errno != EAGAIN) {
		end(stream, errno);
		return false;
	}
	/* A counter is eight bytes of a buffer that is freed in larger pieces: it goes whole or not at all. */
	if (length > 0)
		stream->sent++;
	return true;
}

static void on_tick(struct timer *timer)
{
	struct stream *stream = container_of(timer, struct stream, tick);
	uint64_t stall_ns = stream->interval_ns * STALL_INTERVALS, waited;

	timer_arm(timer, stream->interval_ns);
	if (!stream->connected || !send_counter(stream))
		return;
	if (stall_ns < STALL_AT_LEAST_NS)
		stall_ns = STALL_AT_LEAST_NS;
	waited = now_ns() - stream->echoed_ns;
	if (!stream->stalled && waited > stall_ns && stream->sent > stream->echoed) {
		stream->stalled = true;
		stream->gap_ns = waited;
		report(stream, "stalled", NULL);
	}
}

void stream_start(const char *id, const struct address *to, uint16_t port, uint64_t interval_ns)
{
	struct stream *stream = allocate(sizeof(*stream));
	struct sockaddr_storage destination;
	socklen_t length = address_to_sockaddr(to, port, &destination);
	int on = 1, error = 0;

	strcpy(stream->id, id);
	stream->interval_ns = interval_ns;
	stream->tick.on_fire = on_tick;
	stream->next = streams;
	streams = stream;
	stream->source.on_ready = on_ready;
	stream->source.fd = socket(to->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (stream->source.fd < 0)
		error = errno;
	if (!error)
		setsockopt(stream->source.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!error && connect(stream->source.fd, (struct sockaddr *)&destination, length) && errno != EINPROGRESS)
		error = errno;
	if (!error)
		error = -loop_watch(&stream->source, EPOLLOUT);
	if (error)
		end(stream, error);
	else
		timer_arm(&stream->tick, interval_ns);
}

bool stream_stop(const char *id)
{
	for (struct stream *stream = streams; stream; stream = stream->next)
		if (strcmp(stream->id, id) == 0) {
			report(stream, "stopped", NULL);
			release(stream);
			return true;
		}
	return false;
}
