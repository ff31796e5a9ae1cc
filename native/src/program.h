// BpfProgram: one loaded program by its descriptor.
#pragma once

#include "util/fd.h"
#include "util/handle.h"

namespace tortie {

struct ProgramInit {
  UniqueFd fd;
  std::string name;
};

class BpfProgram : public Handle<BpfProgram, ProgramInit> {
 public:
  static constexpr char kName[] = "BpfProgram";
  static constexpr napi_type_tag kTypeTag = {0x1f6e0f4d2c0b4a7d, 0x8a53c6f1b9e07002};

  explicit BpfProgram(const Napi::CallbackInfo& info);
  static void Init(Napi::Env env, Napi::Object exports);

  /** Throws if closed. */
  int Fd(Napi::Env env) const;
  const std::string& name() const { return name_; }
  void Release(Napi::Env env);

 private:
  static Napi::Value JsOpenPinned(const Napi::CallbackInfo& info);
  Napi::Value JsInfo(const Napi::CallbackInfo& info);
  Napi::Value JsTestRun(const Napi::CallbackInfo& info);
  Napi::Value JsPin(const Napi::CallbackInfo& info);
  Napi::Value JsClose(const Napi::CallbackInfo& info);

  UniqueFd fd_;
  std::string name_;
};

}  // namespace tortie
