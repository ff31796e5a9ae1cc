// See netlink.h.
#include "netlink.h"

#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <vector>

#include "util/errors.h"

namespace tortie {
namespace {

/** The kernel fills dump messages up to 32 KiB (net/netlink/af_netlink.c, netlink_dump). */
constexpr size_t kReceiveBytes = 64 * 1024;

/** A dump during which an interface came or went says so; three such in a row are passed on as they are. */
constexpr int kDumpAttempts = 3;

struct LinkRequest {
  nlmsghdr header;
  ifinfomsg link;
  char attributes[64];
};

struct AddressRequest {
  nlmsghdr header;
  ifaddrmsg address;
};

struct AddressDescription {
  uint32_t ifindex = 0;
  std::vector<uint8_t> bytes;
};

LinkRequest MakeRequest(uint16_t flags) {
  LinkRequest request = {};
  request.header.nlmsg_len = NLMSG_LENGTH(sizeof(ifinfomsg));
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  request.link.ifi_family = AF_UNSPEC;
  return request;
}

void AddAttribute(LinkRequest* request, uint16_t type, uint32_t value) {
  auto* const at = reinterpret_cast<rtattr*>(reinterpret_cast<char*>(request) + NLMSG_ALIGN(request->header.nlmsg_len));
  at->rta_type = type;
  at->rta_len = RTA_LENGTH(sizeof(value));
  memcpy(RTA_DATA(at), &value, sizeof(value));
  request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(at->rta_len);
}

std::string FormatMac(const rtattr* attribute) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto* bytes = static_cast<const uint8_t*>(RTA_DATA(attribute));
  std::string text;
  if (RTA_PAYLOAD(attribute) != 6) return text;
  for (int i = 0; i < 6; i++) {
    if (i > 0) text += ':';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

std::string ToName(const rtattr* attribute) {
  const auto* text = static_cast<const char*>(RTA_DATA(attribute));
  return std::string(text, strnlen(text, RTA_PAYLOAD(attribute)));
}

uint32_t ToNumber(const rtattr* attribute) {
  uint32_t value = 0;
  memcpy(&value, RTA_DATA(attribute), std::min(sizeof(value), size_t{RTA_PAYLOAD(attribute)}));
  return value;
}

std::string FindKind(const rtattr* info) {
  int left = static_cast<int>(RTA_PAYLOAD(info));
  for (auto* at = static_cast<const rtattr*>(RTA_DATA(info)); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    if ((at->rta_type & NLA_TYPE_MASK) == IFLA_INFO_KIND) return ToName(at);
  }
  return "";
}

using OnMessage = std::function<void(const nlmsghdr*)>;

/** Sends one request and passes every message of the answer on. Returns 0 or a negative errno; -EINTR: see above. */
int Exchange(int socket, nlmsghdr* request, std::vector<char>* buffer, const OnMessage& on_message) {
  static thread_local uint32_t sequence = 0;
  request->nlmsg_seq = ++sequence;
  if (send(socket, request, request->nlmsg_len, 0) < 0) return -errno;
  const bool is_dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  bool interrupted = false;
  for (;;) {
    const ssize_t received = recv(socket, buffer->data(), buffer->size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return -errno;
    int left = static_cast<int>(received);
    for (auto* at = reinterpret_cast<const nlmsghdr*>(buffer->data()); NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
      if (at->nlmsg_seq != sequence) continue;
      if ((at->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted = true;
      if (at->nlmsg_type == NLMSG_DONE) return interrupted ? -EINTR : 0;
      if (at->nlmsg_type == NLMSG_ERROR) return static_cast<const nlmsgerr*>(NLMSG_DATA(at))->error;
      on_message(at);
      if (!is_dump) return 0;
    }
  }
}

int DumpLinks(int socket, std::vector<char>* buffer, std::vector<LinkDescription>* links) {
  int error = -EINTR;
  for (int attempt = 0; attempt < kDumpAttempts && error == -EINTR; attempt++) {
    links->clear();
    LinkRequest request = MakeRequest(NLM_F_DUMP);
    AddAttribute(&request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    error = Exchange(socket, &request.header, buffer, [&](const nlmsghdr* message) {
      if (message->nlmsg_type == RTM_NEWLINK) links->push_back(ParseLink(message));
    });
  }
  return error == -EINTR ? 0 : error;
}

/** Of a point-to-point link IFA_ADDRESS is the other end's. */
AddressDescription ParseAddress(const nlmsghdr* message) {
  AddressDescription address;
  const auto* header = static_cast<const ifaddrmsg*>(NLMSG_DATA(message));
  address.ifindex = header->ifa_index;
  int left = static_cast<int>(IFA_PAYLOAD(message));
  bool has_local = false;
  for (const rtattr* at = IFA_RTA(header); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    const uint16_t type = at->rta_type & NLA_TYPE_MASK;
    if (type != IFA_LOCAL && (type != IFA_ADDRESS || has_local)) continue;
    has_local = type == IFA_LOCAL;
    const auto* bytes = static_cast<const uint8_t*>(RTA_DATA(at));
    address.bytes.assign(bytes, bytes + RTA_PAYLOAD(at));
  }
  return address;
}

int DumpAddresses(int socket, std::vector<char>* buffer, std::vector<AddressDescription>* addresses) {
  int error = -EINTR;
  for (int attempt = 0; attempt < kDumpAttempts && error == -EINTR; attempt++) {
    addresses->clear();
    AddressRequest request = {};
    request.header.nlmsg_len = NLMSG_LENGTH(sizeof(ifaddrmsg));
    request.header.nlmsg_type = RTM_GETADDR;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.address.ifa_family = AF_UNSPEC;
    error = Exchange(socket, &request.header, buffer, [&](const nlmsghdr* message) {
      if (message->nlmsg_type != RTM_NEWADDR) return;
      AddressDescription address = ParseAddress(message);
      if (address.bytes.size() == 4 || address.bytes.size() == 16) addresses->push_back(std::move(address));
    });
  }
  return error == -EINTR ? 0 : error;
}

/** Leaves peer_mac empty when the other namespace is gone or closed to us. */
void FindPeerMac(int socket, std::vector<char>* buffer, LinkDescription* link) {
  LinkRequest request = MakeRequest(0);
  request.link.ifi_index = static_cast<int>(link->peer_ifindex);
  AddAttribute(&request, IFLA_TARGET_NETNSID, static_cast<uint32_t>(link->peer_namespace_id));
  AddAttribute(&request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  Exchange(socket, &request.header, buffer, [&](const nlmsghdr* message) {
    if (message->nlmsg_type == RTM_NEWLINK) link->peer_mac = ParseLink(message).mac;
  });
}

Napi::Object ToObject(Napi::Env env, const LinkDescription& link) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("ifindex", link.ifindex);
  result.Set("name", link.name);
  result.Set("mac", link.mac);
  result.Set("mtu", link.mtu);
  result.Set("up", link.up);
  result.Set("kind", link.kind);
  result.Set("peerMac", link.peer_mac);
  result.Set("master", link.master);
  result.Set("lower", link.kind == "veth" || link.peer_namespace_id >= 0 ? 0 : link.peer_ifindex);
  return result;
}

Napi::Value JsLinkList(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const UniqueFd socket = OpenRouteSocket(0);
  if (!socket.valid()) ThrowErrno(env, errno, "open", "rtnetlink");
  std::vector<char> buffer(kReceiveBytes);
  std::vector<LinkDescription> links;
  if (const int error = DumpLinks(socket.get(), &buffer, &links)) ThrowErrno(env, error, "list", "network interfaces");
  Napi::Array result = Napi::Array::New(env, links.size());
  for (uint32_t i = 0; i < links.size(); i++) {
    const Napi::HandleScope scope(env);
    LinkDescription& link = links[i];
    if (link.kind == "veth" && link.peer_namespace_id >= 0) FindPeerMac(socket.get(), &buffer, &link);
    result.Set(i, ToObject(env, link));
  }
  return result;
}

Napi::Value JsAddressList(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const UniqueFd socket = OpenRouteSocket(0);
  if (!socket.valid()) ThrowErrno(env, errno, "open", "rtnetlink");
  std::vector<char> buffer(kReceiveBytes);
  std::vector<AddressDescription> addresses;
  if (const int error = DumpAddresses(socket.get(), &buffer, &addresses)) {
    ThrowErrno(env, error, "list", "addresses of network interfaces");
  }
  Napi::Array result = Napi::Array::New(env, addresses.size());
  for (uint32_t i = 0; i < addresses.size(); i++) {
    const Napi::HandleScope scope(env);
    const AddressDescription& address = addresses[i];
    Napi::Uint8Array bytes = Napi::Uint8Array::New(env, address.bytes.size());
    memcpy(bytes.Data(), address.bytes.data(), address.bytes.size());
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("ifindex", address.ifindex);
    entry.Set("bytes", bytes);
    result.Set(i, entry);
  }
  return result;
}

}  // namespace

LinkDescription ParseLink(const nlmsghdr* message) {
  LinkDescription link;
  const auto* header = static_cast<const ifinfomsg*>(NLMSG_DATA(message));
  link.ifindex = static_cast<uint32_t>(header->ifi_index);
  link.up = (header->ifi_flags & IFF_UP) != 0;
  int left = static_cast<int>(IFLA_PAYLOAD(message));
  for (const rtattr* at = IFLA_RTA(header); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    switch (at->rta_type & NLA_TYPE_MASK) {
      case IFLA_IFNAME:
        link.name = ToName(at);
        break;
      case IFLA_ADDRESS:
        link.mac = FormatMac(at);
        break;
      case IFLA_MTU:
        link.mtu = ToNumber(at);
        break;
      case IFLA_LINKINFO:
        link.kind = FindKind(at);
        break;
      case IFLA_LINK:
        link.peer_ifindex = ToNumber(at);
        break;
      case IFLA_MASTER:
        link.master = ToNumber(at);
        break;
      case IFLA_LINK_NETNSID:
        link.peer_namespace_id = static_cast<int32_t>(ToNumber(at));
        break;
      default:
        break;
    }
  }
  return link;
}

UniqueFd OpenRouteSocket(uint32_t groups) {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd.valid()) return fd;
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
  const int error = errno;
  fd.Reset();
  errno = error;
  return fd;
}

void InitNetlink(Napi::Env env, Napi::Object exports) {
  exports.Set("linkList", Napi::Function::New<JsLinkList>(env, "linkList"));
  exports.Set("addressList", Napi::Function::New<JsAddressList>(env, "addressList"));
}

}  // namespace tortie
