// See link_monitor.h.
#include "link_monitor.h"

#include <linux/pkt_sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "netlink.h"
#include "util/args.h"
#include "util/errors.h"

namespace tortie {
namespace {

constexpr size_t kReceiveBytes = 64 * 1024;

/** Thousands of interfaces appear at once when a node starts; each message takes about 2 KiB of this. */
constexpr int kSocketBytes = 16 * 1024 * 1024;

LinkChange ToLinkChange(const nlmsghdr* message) {
  const LinkDescription link = ParseLink(message);
  LinkChange change;
  change.ifindex = link.ifindex;
  change.name = link.name;
  change.removed = message->nlmsg_type == RTM_DELLINK;
  return change;
}

/** Returns whether the message tells of anything that could concern a program on an interface, or policy there. */
bool ToChange(const nlmsghdr* message, LinkChange* change) {
  switch (message->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      // Bridges tell of their ports in the same group: a DELLINK of family AF_BRIDGE is a port that left, not an end.
      if (static_cast<const ifinfomsg*>(NLMSG_DATA(message))->ifi_family != AF_UNSPEC) return false;
      *change = ToLinkChange(message);
      return true;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      change->ifindex = static_cast<const ifaddrmsg*>(NLMSG_DATA(message))->ifa_index;
      change->addresses = true;
      return true;
    case RTM_DELQDISC:
      // Another queueing discipline than that which filters hang from.
      if (static_cast<const tcmsg*>(NLMSG_DATA(message))->tcm_parent != TC_H_CLSACT) return false;
      [[fallthrough]];
    case RTM_NEWTFILTER:
    case RTM_DELTFILTER:
      change->ifindex = static_cast<uint32_t>(static_cast<const tcmsg*>(NLMSG_DATA(message))->tcm_ifindex);
      change->filters = true;
      return true;
    default:
      return false;
  }
}

}  // namespace

LinkMonitor::LinkMonitor(const Napi::CallbackInfo& info) : Handle(info), buffer_(kReceiveBytes) {
  LinkMonitorInit init = TakeInit();
  socket_ = std::move(init.socket);
  on_change_ = std::move(init.on_change);
  reader_ = std::make_unique<Reader<Changes>>(
      info.Env(), kName, socket_.get(), -1, [this](Reader<Changes>& reader) { return ReadOne(reader); },
      [this](Napi::Env env, Changes& changes) { Deliver(env, changes); });
  Ref();
}

LinkMonitor::~LinkMonitor() { reader_.reset(); }

void LinkMonitor::Init(Napi::Env env, Napi::Object exports) {
  Register(env, exports, {OnClass<&LinkMonitor::JsOpen>("open"), OnInstance<&LinkMonitor::JsClose>("close")});
}

Napi::Value LinkMonitor::JsOpen(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  LinkMonitorInit init;
  init.on_change = Napi::Persistent(ToFunction(info[0], "onChange"));
  init.socket = OpenRouteSocket(RTMGRP_LINK | RTMGRP_TC | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
  if (!init.socket.valid()) ThrowErrno(env, errno, "monitor", "network interfaces");
  // Without CAP_NET_ADMIN the socket keeps its default size and overruns sooner, which is reported.
  setsockopt(init.socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBytes, sizeof(kSocketBytes));
  return Make(env, std::move(init));
}

bool LinkMonitor::ReadOne(Reader<Changes>& reader) {
  const ssize_t received = recv(socket_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (received < 0 && errno == ENOBUFS) {
    LinkChange change;
    change.overrun = true;
    return reader.Put({change});
  }
  if (received < 0) return errno == EAGAIN || errno == EINTR;
  Changes changes;
  int left = static_cast<int>(received);
  for (auto* at = reinterpret_cast<const nlmsghdr*>(buffer_.data()); NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
    LinkChange change;
    if (ToChange(at, &change)) changes.push_back(std::move(change));
  }
  return changes.empty() || reader.Put(std::move(changes));
}

void LinkMonitor::Deliver(Napi::Env env, const Changes& changes) {
  for (const LinkChange& change : changes) {
    const Napi::HandleScope scope(env);
    Napi::Object argument = Napi::Object::New(env);
    argument.Set("ifindex", change.ifindex);
    argument.Set("name", change.name);
    argument.Set("removed", change.removed);
    argument.Set("filters", change.filters);
    argument.Set("addresses", change.addresses);
    argument.Set("overrun", change.overrun);
    on_change_.Call({argument});
  }
}

Napi::Value LinkMonitor::JsClose(const Napi::CallbackInfo& info) {
  if (socket_.valid()) {
    reader_->Stop();
    socket_.Reset();
    Unref();
  }
  return info.Env().Undefined();
}

}  // namespace tortie
