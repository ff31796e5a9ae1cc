// See system.h.
#include "system.h"

#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "util/args.h"
#include "util/errors.h"

namespace tortie {
namespace {

/** Linux 5.8; spelled out because glibc before 2.32 lacks it. */
constexpr uint64_t kMountRoot = 0x2000;

Napi::Value JsMountBpffs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = ToText(info[0], "path");
  struct statx status;
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &status) < 0) ThrowErrno(env, errno, "mount bpffs", path);
  // mount(2) would stack a second, empty file system over the first and hide its pins.
  if ((status.stx_attributes & kMountRoot) != 0) ThrowErrno(env, EBUSY, "mount bpffs", path);
  if (mount("bpf", path.c_str(), "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0) {
    ThrowErrno(env, errno, "mount bpffs", path);
  }
  return env.Undefined();
}

Napi::Value JsPeerCredentials(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const uint32_t fd = ToUint32(info[0], "fd");
  ucred credentials = {};
  socklen_t length = sizeof(credentials);
  if (getsockopt(static_cast<int>(fd), SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) {
    ThrowErrno(env, errno, "read peer credentials of fd", std::to_string(fd));
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", credentials.pid);
  result.Set("uid", credentials.uid);
  result.Set("gid", credentials.gid);
  return result;
}

}  // namespace

FileLock::FileLock(const Napi::CallbackInfo& info) : Handle(info), fd_(TakeInit()) {}

void FileLock::Init(Napi::Env env, Napi::Object exports) {
  Register(env, exports, {OnClass<&FileLock::JsAcquire>("acquire"), OnInstance<&FileLock::JsClose>("close")});
}

Napi::Value FileLock::JsAcquire(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = ToText(info[0], "path");
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) ThrowErrno(env, errno, "open lock file", path);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) < 0) ThrowErrno(env, errno, "lock", path);
  return Make(env, std::move(fd));
}

Napi::Value FileLock::JsClose(const Napi::CallbackInfo& info) {
  fd_.Reset();
  return info.Env().Undefined();
}

void InitSystem(Napi::Env env, Napi::Object exports) {
  FileLock::Init(env, exports);
  exports.Set("mountBpffs", Napi::Function::New<JsMountBpffs>(env, "mountBpffs"));
  exports.Set("peerCredentials", Napi::Function::New<JsPeerCredentials>(env, "peerCredentials"));
}

}  // namespace tortie
