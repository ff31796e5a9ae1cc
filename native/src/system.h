// The few system calls beyond bpf(2) and netlink that Node does not offer.
#pragma once

#include <napi.h>

#include <string>

#include "util/fd.h"
#include "util/handle.h"

namespace tortie {

class FileLock : public Handle<FileLock, UniqueFd> {
 public:
  static constexpr char kName[] = "FileLock";
  static constexpr napi_type_tag kTypeTag = {0x4490b27c6f1e4ad3, 0x90c7ea4d18357007};

  explicit FileLock(const Napi::CallbackInfo& info);
  static void Init(Napi::Env env, Napi::Object exports);

 private:
  static Napi::Value JsAcquire(const Napi::CallbackInfo& info);
  Napi::Value JsClose(const Napi::CallbackInfo& info);

  UniqueFd fd_;
};

/** Adds FileLock, mountBpffs and peerCredentials to the addon's exports. */
void InitSystem(Napi::Env env, Napi::Object exports);

}  // namespace tortie
