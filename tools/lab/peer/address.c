/* Addresses of both families behind one type, and datagrams that keep track of their local address. */
#define _GNU_SOURCE
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#define RECEIVE_BUFFER (8 << 20)

void socket_enlarge(int fd)
{
	int size = RECEIVE_BUFFER;

	/* The forced kind passes net.core.rmem_max. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

bool address_parse(const char *text, struct address *out)
{
	memset(out, 0, sizeof(*out));
	out->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return inet_pton(out->family, text, &out->v6) == 1;
}

bool address_equal(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return false;
	return a->family == AF_INET ? a->v4.s_addr == b->v4.s_addr : IN6_ARE_ADDR_EQUAL(&a->v6, &b->v6);
}

socklen_t address_to_sockaddr(const struct address *address, uint16_t port, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	out->ss_family = address->family;
	if (address->family == AF_INET) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)out;

		v4->sin_port = htons(port);
		v4->sin_addr = address->v4;
		return sizeof(*v4);
	}
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	v6->sin6_port = htons(port);
	v6->sin6_addr = address->v6;
	return sizeof(*v6);
}

void address_from_sockaddr(const struct sockaddr_storage *from, struct address *out)
{
	memset(out, 0, sizeof(*out));
	out->family = from->ss_family;
	if (from->ss_family == AF_INET)
		out->v4 = ((const struct sockaddr_in *)from)->sin_addr;
	else
		out->v6 = ((const struct sockaddr_in6 *)from)->sin6_addr;
}

/* The local address to send from, as the control message its family wants. */
static void put_source(struct msghdr *message, const struct address *source)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);

	if (source->family == AF_INET) {
		struct in_pktinfo info = {.ipi_spec_dst = source->v4};

		header->cmsg_level = IPPROTO_IP;
		header->cmsg_type = IP_PKTINFO;
		header->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(header), &info, sizeof(info));
	} else {
		struct in6_pktinfo info = {.ipi6_addr = source->v6};

		header->cmsg_level = IPPROTO_IPV6;
		header->cmsg_type = IPV6_PKTINFO;
		header->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(header), &info, sizeof(info));
	}
	message->msg_controllen = CMSG_SPACE(header->cmsg_len - CMSG_LEN(0));
}

int address_send(int fd, const struct address *source, const struct address *destination, const void *bytes, size_t length)
{
	struct sockaddr_storage to;
	char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
	struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
	struct msghdr message = {
		.msg_name = &to,
		.msg_namelen = address_to_sockaddr(destination, 0, &to),
		.msg_iov = &part,
		.msg_iovlen = 1,
	};

	if (source->family != AF_UNSPEC) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		put_source(&message, source);
	}
	return sendmsg(fd, &message, 0) < 0 ? -errno : 0;
}

ssize_t address_receive(int fd, void *bytes, size_t size, struct address *source, struct address *destination)
{
	struct sockaddr_storage from;
	char control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
	struct iovec part = {.iov_base = bytes, .iov_len = size};
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);

	if (length < 0)
		return -errno;
	address_from_sockaddr(&from, source);
	memset(destination, 0, sizeof(*destination));
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
			destination->family = AF_INET6;
			memcpy(&destination->v6, CMSG_DATA(header), sizeof(destination->v6));
		} else if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(header), sizeof(info));
			destination->family = AF_INET;
			destination->v4 = info.ipi_addr;
		}
	}
	return length;
}
