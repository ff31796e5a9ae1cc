// A wire between two network namespaces whose ends are layer-3 interfaces: what VPN programs make, without the secrets.
// tun-wire <namespace> <name> <namespace> <name>: ends by a signal, and both interfaces go with it.
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int open_end(const char *namespace, const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "%s", path);
	close(fd);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err(1, "/dev/net/tun");
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request))
		err(1, "%s", name);
	return fd;
}

/* A packet that the other end does not take, because it is down, is lost, as on any wire. */
static void carry(int from, int to)
{
	char packet[65536];
	const ssize_t length = read(from, packet, sizeof(packet));

	if (length > 0 && write(to, packet, length) < 0)
		return;
}

int main(int argc, char **argv)
{
	struct pollfd ends[2] = { { .events = POLLIN }, { .events = POLLIN } };

	if (argc != 5)
		errx(2, "usage: tun-wire <namespace> <name> <namespace> <name>");
	for (int i = 0; i < 2; i++)
		ends[i].fd = open_end(argv[1 + 2 * i], argv[2 + 2 * i]);
	puts("ready");
	fflush(stdout);
	while (poll(ends, 2, -1) > 0) {
		for (int i = 0; i < 2; i++)
			if (ends[i].revents & POLLIN)
				carry(ends[i].fd, ends[1 - i].fd);
	}
	err(1, "poll");
}
