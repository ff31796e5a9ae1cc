/* The event loop: readiness, deadlines, deferred release. No sockets are opened here. */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64

static int epoll_fd = -1;
static bool running;
static struct source *closed;
static struct timer *timers;

void loop_init(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0) {
		perror("epoll_create1");
		exit(1);
	}
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

void *allocate(size_t size_bytes)
{
	void *memory = calloc(1, size_bytes);

	if (!memory) {
		perror("calloc");
		exit(1);
	}
	return memory;
}

int loop_watch(struct source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, source->fd, &event) ? -errno : 0;
}

void loop_rewatch(struct source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, source->fd, &event))
		perror("epoll_ctl");
}

void loop_close(struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
	source->on_ready = NULL;
	source->next_closed = closed;
	closed = source;
}

static void release_closed(void)
{
	while (closed) {
		struct source *next = closed->next_closed;

		free(closed);
		closed = next;
	}
}

void timer_arm(struct timer *timer, uint64_t delay_ns)
{
	timer_disarm(timer);
	timer->at_ns = now_ns() + delay_ns;
	timer->armed = true;
	timer->previous = NULL;
	timer->next = timers;
	if (timers)
		timers->previous = timer;
	timers = timer;
}

void timer_disarm(struct timer *timer)
{
	if (!timer->armed)
		return;
	if (timer->previous)
		timer->previous->next = timer->next;
	else
		timers = timer->next;
	if (timer->next)
		timer->next->previous = timer->previous;
	timer->armed = false;
}

static struct timer *earliest_timer(void)
{
	struct timer *earliest = timers;

	for (struct timer *timer = timers; timer; timer = timer->next)
		if (timer->at_ns < earliest->at_ns)
			earliest = timer;
	return earliest;
}

/* Fires what is due; returns how long epoll may sleep, in ms rounded up so that a deadline is never early. */
static int fire_timers(void)
{
	for (;;) {
		struct timer *timer = earliest_timer();
		uint64_t now = now_ns();

		if (!timer)
			return -1;
		if (timer->at_ns > now)
			return (int)((timer->at_ns - now + NS_PER_MS - 1) / NS_PER_MS);
		timer_disarm(timer);
		timer->on_fire(timer);
	}
}

void loop_stop(void)
{
	running = false;
}

void loop_run(void)
{
	struct epoll_event events[BATCH];

	running = true;
	while (running) {
		int timeout_ms = fire_timers();

		release_closed();
		int count = epoll_wait(epoll_fd, events, BATCH, timeout_ms);

		for (int i = 0; i < count && running; i++) {
			struct source *source = events[i].data.ptr;

			if (source->on_ready)
				source->on_ready(source, events[i].events);
		}
	}
}
