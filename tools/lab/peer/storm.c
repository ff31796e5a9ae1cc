/* A storm: UDP datagrams from ever new source ports, each a new flow to the host, and a count of the answers. */
#define _GNU_SOURCE
#include "peer.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/epoll.h>

#define BURST_EVERY_NS NS_PER_MS
/* An answer to the last datagram is on its way for at most this long. */
#define LINGER_NS (100 * NS_PER_MS)
#define FIRST_PORT 16384
#define PORTS 49000

struct datagram {
	struct udphdr header;
	uint8_t payload[8];
};

struct storm {
	struct source source;
	struct timer tick;
	char id[ID_MAX];
	struct address to;
	uint16_t to_port;
	unsigned int burst;
	uint64_t sent, answered;
	bool stopping;
	struct storm *next;
};

static struct storm *storms;

static void finish(struct storm *storm)
{
	for (struct storm **link = &storms; *link; link = &(*link)->next)
		if (*link == storm) {
			*link = storm->next;
			break;
		}
	answer_storm(storm->id, storm->sent, storm->answered);
	timer_disarm(&storm->tick);
	loop_close(&storm->source);
}

/* The raw socket sees every UDP datagram of the namespace; an answer comes from where the storm goes. */
static void on_ready(struct source *source, uint32_t events)
{
	struct storm *storm = container_of(source, struct storm, source);
	uint8_t bytes[2048];
	struct address from, unused;
	ssize_t length = address_receive(source->fd, bytes, sizeof(bytes), &from, &unused);
	/* An IPv4 raw socket hands over the IP header too. */
	size_t header = storm->to.family == AF_INET && length > 0 ? (size_t)(bytes[0] & 15) * 4 : 0;
	struct udphdr udp;

	(void)events;
	if (length < (ssize_t)(header + sizeof(udp)) || !address_equal(&from, &storm->to))
		return;
	memcpy(&udp, bytes + header, sizeof(udp));
	if (udp.source == htons(storm->to_port) && ntohs(udp.dest) >= FIRST_PORT)
		storm->answered++;
}

static void send_burst(struct storm *storm)
{
	static const struct address any_source = {.family = AF_UNSPEC};
	struct datagram datagram = {.header = {.dest = htons(storm->to_port), .len = htons(sizeof(datagram))}};

	for (unsigned int i = 0; i < storm->burst; i++) {
		/* IPv4 allows a UDP checksum of zero; the kernel fills in that of IPv6. */
		datagram.header.source = htons((uint16_t)(FIRST_PORT + storm->sent % PORTS));
		if (address_send(storm->source.fd, &any_source, &storm->to, &datagram, sizeof(datagram)) == 0)
			storm->sent++;
	}
}

static void on_tick(struct timer *timer)
{
	struct storm *storm = container_of(timer, struct storm, tick);

	if (storm->stopping) {
		finish(storm);
		return;
	}
	send_burst(storm);
	timer_arm(timer, BURST_EVERY_NS);
}

int storm_start(const char *id, const struct address *to, uint16_t port, unsigned int burst)
{
	struct storm *storm = allocate(sizeof(*storm));
	const int checksum_at = offsetof(struct udphdr, check);
	int error = 0;

	strcpy(storm->id, id);
	storm->to = *to;
	storm->to_port = port;
	storm->burst = burst;
	storm->tick.on_fire = on_tick;
	storm->source.on_ready = on_ready;
	storm->source.fd = socket(to->family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	if (storm->source.fd < 0)
		error = -errno;
	else if (to->family == AF_INET6 &&
		 setsockopt(storm->source.fd, IPPROTO_IPV6, IPV6_CHECKSUM, &checksum_at, sizeof(checksum_at)))
		error = -errno;
	if (!error)
		error = loop_watch(&storm->source, EPOLLIN);
	if (error) {
		loop_close(&storm->source);
		return error;
	}
	socket_enlarge(storm->source.fd);
	storm->next = storms;
	storms = storm;
	timer_arm(&storm->tick, 0);
	return 0;
}

bool storm_stop(const char *id)
{
	for (struct storm *storm = storms; storm; storm = storm->next)
		if (strcmp(storm->id, id) == 0 && !storm->stopping) {
			storm->stopping = true;
			timer_arm(&storm->tick, LINGER_NS);
			return true;
		}
	return false;
}
