// See udp_sink.h.
#include "udp_sink.h"

#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>

#include "program.h"
#include "util/args.h"
#include "util/errors.h"
#include "util/socket_address.h"

namespace tortie {

UdpSink::UdpSink(const Napi::CallbackInfo& info) : Handle(info), fd_(TakeInit()) {}

void UdpSink::Init(Napi::Env env, Napi::Object exports) {
  Register(env, exports, {OnClass<&UdpSink::JsOpen>("open"), OnInstance<&UdpSink::JsClose>("close")});
}

Napi::Value UdpSink::JsOpen(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int filter = BpfProgram::From(info[0], "program").Fd(env);
  const std::string text = ToText(info[1], "address");
  const uint32_t port = ToUint32(info[2], "port");
  const SocketAddress address = ParseSocketAddress(env, text, static_cast<uint16_t>(port));
  const std::string target = text + " port " + std::to_string(port);
  UniqueFd fd(socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) ThrowErrno(env, errno, "open UDP socket", target);
  if (setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_BPF, &filter, sizeof(filter)) < 0) {
    ThrowErrno(env, errno, "attach socket filter", target);
  }
  if (bind(fd.get(), address.get(), address.length) < 0) ThrowErrno(env, errno, "bind UDP socket", target);
  return Make(env, std::move(fd));
}

Napi::Value UdpSink::JsClose(const Napi::CallbackInfo& info) {
  fd_.Reset();
  return info.Env().Undefined();
}

}  // namespace tortie
