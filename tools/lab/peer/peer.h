/*
 * The traffic peer's shared vocabulary: event loop, addresses, answers, and what each file offers to the command reader.
 * One peer runs per network namespace; it knows nothing of policy, and decides nothing about what ought to be reachable.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ID_MAX 32

/* loop.c: one thread, level-triggered epoll. */

/* Must be the first member of the object that owns it: loop_close() frees the object through it. */
struct source {
	int fd; /* -1 = no file descriptor of its own */
	void (*on_ready)(struct source *source, uint32_t events);
	struct source *next_closed;
};

struct timer {
	uint64_t at_ns;
	void (*on_fire)(struct timer *timer);
	struct timer *previous, *next;
	bool armed;
};

void loop_init(void);
void loop_run(void);
void loop_stop(void);
/* 0 or -errno. */
int loop_watch(struct source *source, uint32_t events);
void loop_rewatch(struct source *source, uint32_t events);
/* Closes now, frees after the current batch of events: an event already fetched may still name the object. */
void loop_close(struct source *source);
void timer_arm(struct timer *timer, uint64_t delay_ns);
void timer_disarm(struct timer *timer);
uint64_t now_ns(void);
void *allocate(size_t size_bytes);

#define NS_PER_MS 1000000ull

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* address.c */

struct address {
	sa_family_t family; /* AF_UNSPEC = not given */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

bool address_parse(const char *text, struct address *out);
bool address_equal(const struct address *a, const struct address *b);
/* Port in host order. Returns the length to give to connect() and friends. */
socklen_t address_to_sockaddr(const struct address *address, uint16_t port, struct sockaddr_storage *out);
void address_from_sockaddr(const struct sockaddr_storage *from, struct address *out);
/* Sends from `source` if its family is set. 0 or -errno. */
int address_send(int fd, const struct address *source, const struct address *destination, const void *bytes, size_t length);
/* Room for bursts: a probe lost in this namespace's own socket would look like one that the network dropped. */
void socket_enlarge(int fd);
/* Where a datagram came from, and which of this namespace's addresses it was sent to. Length or -errno. */
ssize_t address_receive(int fd, void *bytes, size_t size, struct address *source, struct address *destination);

/* answer.c: JSON lines on stdout. */

void answer_ok(const char *id);
/* `detail` may be NULL. */
void answer_error(const char *id, const char *what, int error);
void answer_result(const char *id, const char *result, double ms, const char *detail);
void answer_stream(const char *id, const char *state, uint64_t alive, double gap_ms, uint64_t lost, const char *detail);
void answer_storm(const char *id, uint64_t sent, uint64_t answered);
void answer_ready(void);
/* What an errno of a socket says about the destination: refused, reset, unreachable, timeout, or error. */
const char *result_of_errno(int error);

/* serve.c: echo servers on both families. 0 or -errno. */

int serve_tcp(uint16_t port);
int serve_udp(uint16_t port);

/* probe.c: one question, one answer. */

enum transport { TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_SCTP, TRANSPORT_ICMP };

struct probe {
	struct source source;
	struct timer deadline;
	char id[ID_MAX];
	enum transport transport;
	struct address from, to;
	uint16_t from_port, to_port; /* for ICMP from_port is the echo identifier */
	uint64_t started_ns;
	bool connected;
	uint32_t token;		   /* what an answer to a raw probe must carry */
	struct probe *next_pending; /* raw probes only */
	struct probe **pending;	   /* the list that next_pending belongs to */
};

void probe_start(const struct probe *request, uint64_t timeout_ns);
void probe_finish(struct probe *probe, const char *result, const char *detail);
void probe_fail(struct probe *probe, const char *what, int error);
/* Puts a raw probe where its answers are looked up. */
void probe_pend(struct probe *probe, struct probe **list);

/* icmp.c, sctp.c: over raw sockets that all probes of the namespace share. 0 or -errno. */

int icmp_init(void);
int icmp_probe(struct probe *probe);
int sctp_init(void);
int sctp_probe(struct probe *probe);
void sctp_listen(uint16_t port);

/* stream.c: long-lived TCP connections. */

void stream_start(const char *id, const struct address *to, uint16_t port, uint64_t interval_ns);
bool stream_stop(const char *id);

/* storm.c: `burst` datagrams every millisecond. 0 or -errno; stopping answers with the counts. */

int storm_start(const char *id, const struct address *to, uint16_t port, unsigned int burst);
bool storm_stop(const char *id);
