/* What the peer tells its parent: one JSON object per line. Identifiers are checked on the way in, so nothing here escapes. */
#define _GNU_SOURCE
#include "peer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_line(const char *format, ...)
{
	char line[512];
	va_list values;

	va_start(values, format);
	int length = vsnprintf(line, sizeof(line) - 1, format, values);
	va_end(values);
	if (length < 0 || length >= (int)sizeof(line) - 1)
		abort();
	line[length++] = '\n';
	for (int done = 0; done < length;) {
		ssize_t written = write(STDOUT_FILENO, line + done, (size_t)(length - done));

		if (written < 0 && errno != EINTR)
			exit(0); /* the parent is gone, and with it the reason to live */
		if (written > 0)
			done += (int)written;
	}
}

void answer_ready(void)
{
	write_line("{\"ready\":%d}", getpid());
}

void answer_ok(const char *id)
{
	write_line("{\"id\":\"%s\",\"result\":\"ok\"}", id);
}

void answer_error(const char *id, const char *what, int error)
{
	write_line("{\"id\":\"%s\",\"result\":\"error\",\"detail\":\"%s: %s\"}", id, what, strerror(error));
}

void answer_result(const char *id, const char *result, double ms, const char *detail)
{
	if (detail)
		write_line("{\"id\":\"%s\",\"result\":\"%s\",\"ms\":%.3f,\"detail\":\"%s\"}", id, result, ms, detail);
	else
		write_line("{\"id\":\"%s\",\"result\":\"%s\",\"ms\":%.3f}", id, result, ms);
}

void answer_stream(const char *id, const char *state, uint64_t alive, double gap_ms, uint64_t lost, const char *detail)
{
	write_line("{\"id\":\"%s\",\"state\":\"%s\",\"alive\":%llu,\"gapMs\":%.3f,\"lost\":%llu%s%s%s}", id, state,
		   (unsigned long long)alive, gap_ms, (unsigned long long)lost, detail ? ",\"detail\":\"" : "",
		   detail ? detail : "", detail ? "\"" : "");
}

void answer_storm(const char *id, uint64_t sent, uint64_t answered)
{
	write_line("{\"id\":\"%s\",\"result\":\"ok\",\"sent\":%llu,\"answered\":%llu}", id, (unsigned long long)sent,
		   (unsigned long long)answered);
}

const char *result_of_errno(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "refused";
	case ECONNRESET:
	case EPIPE:
		return "reset";
	case ETIMEDOUT:
		return "timeout";
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENOPROTOOPT: /* ICMP protocol unreachable */
	case EACCES:	  /* ICMP administratively prohibited, or a prohibit route */
		return "unreachable";
	default:
		return "error";
	}
}
