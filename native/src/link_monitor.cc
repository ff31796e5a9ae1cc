// See link_monitor.h.
#include "link_monitor.h"

#include <sys/socket.h>

#include <cerrno>

#include "netlink.h"
#include "util/args.h"
#include "util/errors.h"

namespace tortie {
namespace {

constexpr size_t kReceiveBytes = 64 * 1024;

/** Thousands of interfaces appear at once when a node starts; each message takes about 2 KiB of this. */
constexpr int kSocketBytes = 16 * 1024 * 1024;

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
  init.socket = OpenRouteSocket(RTMGRP_LINK);
  if (!init.socket.valid()) ThrowErrno(env, errno, "monitor", "network interfaces");
  // Without CAP_NET_ADMIN the socket keeps its default size and overruns sooner, which is reported.
  setsockopt(init.socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBytes, sizeof(kSocketBytes));
  return Make(env, std::move(init));
}

bool LinkMonitor::ReadOne(Reader<Changes>& reader) {
  const ssize_t received = recv(socket_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (received < 0 && errno == ENOBUFS) return reader.Put({LinkChange{0, "", false, true}});
  if (received < 0) return errno == EAGAIN || errno == EINTR;
  Changes changes;
  int left = static_cast<int>(received);
  for (auto* at = reinterpret_cast<const nlmsghdr*>(buffer_.data()); NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
    if (at->nlmsg_type != RTM_NEWLINK && at->nlmsg_type != RTM_DELLINK) continue;
    // Bridges tell of their ports in the same group: a DELLINK of family AF_BRIDGE is a port that left, not an end.
    if (static_cast<const ifinfomsg*>(NLMSG_DATA(at))->ifi_family != AF_UNSPEC) continue;
    const LinkDescription link = ParseLink(at);
    changes.push_back({link.ifindex, link.name, at->nlmsg_type == RTM_DELLINK, false});
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
