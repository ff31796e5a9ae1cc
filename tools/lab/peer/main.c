/*
 * The lab's traffic peer: real sockets in one network namespace, driven over stdin, answering in JSON lines. Ends with its stdin.
 *
 *   listen ID tcp|udp|sctp PORT...
 *   probe  ID tcp|udp|sctp|icmp ADDRESS PORT TIMEOUT_MS [from=ADDRESS] [port=SOURCE_PORT]
 *   stream ID tcp ADDRESS PORT INTERVAL_MS
 *   storm  ID udp ADDRESS PORT BURST
 *   stop   ID
 *   quit
 */
#define _GNU_SOURCE
#include "peer.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define WORDS_MAX 64
#define NO_ID "-"

static const char *const transport_names[] = {
	[TRANSPORT_TCP] = "tcp",
	[TRANSPORT_UDP] = "udp",
	[TRANSPORT_SCTP] = "sctp",
	[TRANSPORT_ICMP] = "icmp",
};

static bool parse_transport(const char *word, enum transport *out)
{
	for (size_t i = 0; i < sizeof(transport_names) / sizeof(transport_names[0]); i++)
		if (strcmp(word, transport_names[i]) == 0) {
			*out = (enum transport)i;
			return true;
		}
	return false;
}

static bool parse_number(const char *word, unsigned long largest, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(word, &end, 10);
	return isdigit((unsigned char)*word) && *end == '\0' && !errno && *out <= largest;
}

static bool is_id(const char *word)
{
	size_t length = strlen(word);

	return length < ID_MAX && strspn(word, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") == length;
}

static int serve(enum transport transport, uint16_t port)
{
	if (transport == TRANSPORT_TCP)
		return serve_tcp(port);
	if (transport == TRANSPORT_UDP)
		return serve_udp(port);
	sctp_listen(port);
	return 0;
}

static void run_listen(char **words, int count)
{
	enum transport transport;

	if (count < 4 || !parse_transport(words[2], &transport) || transport == TRANSPORT_ICMP) {
		answer_error(words[1], "listen", EINVAL);
		return;
	}
	for (int i = 3; i < count; i++) {
		unsigned long port;
		int error = parse_number(words[i], 65535, &port) ? serve(transport, (uint16_t)port) : -EINVAL;

		if (error) {
			answer_error(words[1], "listen", -error);
			return;
		}
	}
	answer_ok(words[1]);
}

static bool parse_probe_option(const char *word, struct probe *probe)
{
	unsigned long port;

	if (strncmp(word, "from=", 5) == 0)
		return address_parse(word + 5, &probe->from) && probe->from.family == probe->to.family;
	if (strncmp(word, "port=", 5) != 0 || !parse_number(word + 5, 65535, &port))
		return false;
	probe->from_port = (uint16_t)port;
	return true;
}

static void run_probe(char **words, int count)
{
	struct probe probe = {.source.fd = -1};
	unsigned long port, timeout_ms;
	bool valid = count >= 6 && parse_transport(words[2], &probe.transport) && address_parse(words[3], &probe.to) &&
		     parse_number(words[4], 65535, &port) && parse_number(words[5], 3600000, &timeout_ms);

	for (int i = 6; valid && i < count; i++)
		valid = parse_probe_option(words[i], &probe);
	if (!valid) {
		answer_error(words[1], "probe", EINVAL);
		return;
	}
	probe.to_port = (uint16_t)port;
	strcpy(probe.id, words[1]);
	probe_start(&probe, timeout_ms * NS_PER_MS);
}

static void run_stream(char **words, int count)
{
	struct address to;
	unsigned long port, interval_ms;

	if (count != 6 || strcmp(words[2], "tcp") != 0 || !address_parse(words[3], &to) ||
	    !parse_number(words[4], 65535, &port) || !parse_number(words[5], 60000, &interval_ms) || !interval_ms) {
		answer_error(words[1], "stream", EINVAL);
		return;
	}
	stream_start(words[1], &to, (uint16_t)port, interval_ms * NS_PER_MS);
}

static void run_storm(char **words, int count)
{
	struct address to;
	unsigned long port, burst;
	int error = -EINVAL;

	if (count == 6 && strcmp(words[2], "udp") == 0 && address_parse(words[3], &to) && parse_number(words[4], 65535, &port) &&
	    parse_number(words[5], 1000, &burst))
		error = storm_start(words[1], &to, (uint16_t)port, (unsigned int)burst);
	if (error)
		answer_error(words[1], "storm", -error);
}

static void run_line(char *line)
{
	char *words[WORDS_MAX];
	int count = 0;

	for (char *word = strtok(line, " "); word && count < WORDS_MAX; word = strtok(NULL, " "))
		words[count++] = word;
	if (count == 0)
		return;
	if (strcmp(words[0], "quit") == 0)
		loop_stop();
	else if (count < 2 || !is_id(words[1]))
		answer_error(NO_ID, "command without a valid id", EINVAL);
	else if (strcmp(words[0], "listen") == 0)
		run_listen(words, count);
	else if (strcmp(words[0], "probe") == 0)
		run_probe(words, count);
	else if (strcmp(words[0], "stream") == 0)
		run_stream(words, count);
	else if (strcmp(words[0], "storm") == 0)
		run_storm(words, count);
	else if (strcmp(words[0], "stop") != 0)
		answer_error(words[1], "unknown command", EINVAL);
	else if (!stream_stop(words[1]) && !storm_stop(words[1]))
		answer_error(words[1], "stop", ENOENT);
}

static void on_input(struct source *source, uint32_t events)
{
	static char held[65536];
	static size_t held_size;
	ssize_t length = read(source->fd, held + held_size, sizeof(held) - 1 - held_size);
	char *line = held, *newline;

	(void)events;
	if (length <= 0) {
		loop_stop();
		return;
	}
	held_size += (size_t)length;
	held[held_size] = '\0';
	while ((newline = strchr(line, '\n'))) {
		*newline = '\0';
		run_line(line);
		line = newline + 1;
	}
	held_size = (size_t)(held + held_size - line);
	memmove(held, line, held_size);
	if (held_size == sizeof(held) - 1) {
		fputs("peer: a command line is longer than 64 KiB\n", stderr);
		exit(1);
	}
}

/* Every probe in flight is a descriptor. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(void)
{
	static struct source input = {.fd = STDIN_FILENO, .on_ready = on_input};
	int error;

	signal(SIGPIPE, SIG_IGN);
	raise_file_limit();
	loop_init();
	error = icmp_init();
	if (!error)
		error = sctp_init();
	if (!error)
		error = loop_watch(&input, EPOLLIN);
	if (error) {
		fprintf(stderr, "peer: start: %s\n", strerror(-error));
		return 1;
	}
	answer_ready();
	loop_run();
	return 0;
}
