// See inet_diag.h.
#include "inet_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "util/args.h"
#include "util/errors.h"
#include "util/fd.h"

namespace tortie {
namespace {

/** The kernel fills dump messages up to 32 KiB (net/netlink/af_netlink.c, netlink_dump). */
constexpr size_t kReceiveBytes = 64 * 1024;

struct DiagRequest {
  nlmsghdr header;
  inet_diag_req_v2 query;
};

/** Asks for established connections with that local port: the kernel leaves out all others. */
int SendRequest(int socket, uint8_t family, uint16_t port) {
  DiagRequest request = {};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.query.sdiag_family = family;
  request.query.sdiag_protocol = IPPROTO_TCP;
  request.query.idiag_states = 1U << TCP_ESTABLISHED;
  request.query.id.idiag_sport = htons(port);
  return send(socket, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/** Appends the other ends' addresses, 4 or 16 bytes each. Returns 0 or a negative errno. */
int Receive(int socket, std::vector<char>* buffer, std::vector<std::string>* peers) {
  for (;;) {
    const ssize_t received = recv(socket, buffer->data(), buffer->size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return -errno;
    int left = static_cast<int>(received);
    for (auto* at = reinterpret_cast<const nlmsghdr*>(buffer->data()); NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
      if (at->nlmsg_type == NLMSG_DONE) return 0;
      if (at->nlmsg_type == NLMSG_ERROR) return static_cast<const nlmsgerr*>(NLMSG_DATA(at))->error;
      if (at->nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) continue;
      const auto* found = static_cast<const inet_diag_msg*>(NLMSG_DATA(at));
      const size_t size = found->idiag_family == AF_INET ? 4 : 16;
      peers->emplace_back(reinterpret_cast<const char*>(found->id.idiag_dst), size);
    }
  }
}

Napi::Value JsTcpPeers(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto port = static_cast<uint16_t>(ToUint32(info[0], "port"));
  const UniqueFd fd(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!fd.valid()) ThrowErrno(env, errno, "open", "sock_diag");
  std::vector<char> buffer(kReceiveBytes);
  std::vector<std::string> peers;
  for (const uint8_t family : {AF_INET, AF_INET6}) {
    int error = SendRequest(fd.get(), family, port);
    if (error == 0) error = Receive(fd.get(), &buffer, &peers);
    if (error != 0) ThrowErrno(env, error, "list", "connections to port " + std::to_string(port));
  }
  Napi::Array result = Napi::Array::New(env, peers.size());
  for (uint32_t i = 0; i < peers.size(); i++) {
    const Napi::HandleScope scope(env);
    result.Set(i, FromBytes(env, peers[i].data(), peers[i].size()));
  }
  return result;
}

}  // namespace

void InitInetDiag(Napi::Env env, Napi::Object exports) {
  exports.Set("tcpPeers", Napi::Function::New<JsTcpPeers>(env, "tcpPeers"));
}

}  // namespace tortie
