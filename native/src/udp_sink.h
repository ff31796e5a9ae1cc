// UDP sockets that nobody reads: a socket filter sees what arrives, and ends it there.
#pragma once

#include <napi.h>

#include "util/fd.h"
#include "util/handle.h"

namespace tortie {

class UdpSink : public Handle<UdpSink, UniqueFd> {
 public:
  static constexpr char kName[] = "UdpSink";
  static constexpr napi_type_tag kTypeTag = {0x7a10c3b85e2f4d96, 0x8c61d20f93ab700b};

  explicit UdpSink(const Napi::CallbackInfo& info);
  static void Init(Napi::Env env, Napi::Object exports);

 private:
  static Napi::Value JsOpen(const Napi::CallbackInfo& info);
  Napi::Value JsClose(const Napi::CallbackInfo& info);

  UniqueFd fd_;
};

}  // namespace tortie
