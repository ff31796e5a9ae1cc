// See datagram.h.
#include "datagram.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "util/args.h"
#include "util/errors.h"
#include "util/fd.h"

namespace tortie {
namespace {

Napi::Value JsSendDatagram(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = ToText(info[0], "path");
  const Bytes message = ToBytes(info[1], "message");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) ThrowErrno(env, EINVAL, "send datagram to", path);
  std::memcpy(address.sun_path, path.data(), path.size());
  socklen_t length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (path[0] == '@') {
    address.sun_path[0] = '\0';
  } else {
    length += 1; /* the zero byte at the end of a path in the file system */
  }
  const UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) ThrowErrno(env, errno, "send datagram to", path);
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  if (sendto(fd.get(), message.data, message.size, MSG_NOSIGNAL | MSG_DONTWAIT, to, length) < 0) {
    ThrowErrno(env, errno, "send datagram to", path);
  }
  return env.Undefined();
}

}  // namespace

void InitDatagram(Napi::Env env, Napi::Object exports) {
  exports.Set("sendDatagram", Napi::Function::New<JsSendDatagram>(env, "sendDatagram"));
}

}  // namespace tortie
