/* What the parts of the witness share: packets, flows, and the two ends. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define NS_PER_MS 1000000ull
/* What has not come by then counts as lost; later than that it is told again, as late. */
#define PATIENCE_NS (2000 * NS_PER_MS)
/* Below TCP's first timeout: a connection is made with its first SYN or not at all. */
#define SYN_NS (900 * NS_PER_MS)
#define LINGER_NS (300 * NS_PER_MS)
#define FLOWS_MAX 64
#define PENDING 4096 /* packets of a flow whose fate is open: more than PATIENCE_NS lets there be */

enum kind { KIND_UDP, KIND_NEW, KIND_SYN, KIND_TCP };

enum fate { FATE_OPEN, FATE_LOST, FATE_CAME, FATE_LATE };

struct record {
	uint16_t flow;
	uint16_t fate;
	uint32_t number;
	uint64_t sent_ns, came_ns;
};

struct message {
	uint32_t flow, number;
};

struct flow {
	enum kind kind;
	struct sockaddr_storage to;
	socklen_t to_size;
	int fd;
	uint32_t sent, told; /* numbers below `told` have been written out */
	struct record pending[PENDING];
	int connecting[PENDING]; /* for syn: descriptors, -1 = none */
	size_t partial; /* for tcp: bytes of a message that the socket did not take */
};

extern struct flow *flows[FLOWS_MAX];
extern unsigned int flow_count;

/* witness.c */

void fail(const char *what);
uint64_t now_ns(void);
int open_socket(int family, int type);
void tell(const struct record *record);

/* send.c: the client's end. */

void flow_add(char *text);
void send_start(void);
void send_all(unsigned long tick);
/* Connections that are being made: which of them are, and which never will be. */
void look_at_connections(void);

/* receive.c: the server's end. */

void receive_add_port(uint16_t port);
void receive_start(void);
void receive_all(void);
