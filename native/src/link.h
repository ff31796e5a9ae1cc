// BpfLink: a program attached through a TCX link. Choosing between TCX and clsact is TypeScript's business.
#pragma once

#include <string>

#include "util/fd.h"
#include "util/handle.h"

namespace tortie {

struct LinkInit {
  UniqueFd fd;
  std::string name;
};

class BpfLink : public Handle<BpfLink, LinkInit> {
 public:
  static constexpr char kName[] = "BpfLink";
  static constexpr napi_type_tag kTypeTag = {0x7be1d53a90c24f08, 0xa6f45e1b83d27004};

  explicit BpfLink(const Napi::CallbackInfo& info);
  static void Init(Napi::Env env, Napi::Object exports);

  /** Throws if closed. */
  int Fd(Napi::Env env) const;
  const std::string& name() const { return name_; }

 private:
  static Napi::Value JsAttachTcx(const Napi::CallbackInfo& info);
  static Napi::Value JsOpenPinned(const Napi::CallbackInfo& info);
  Napi::Value JsInfo(const Napi::CallbackInfo& info);
  Napi::Value JsUpdate(const Napi::CallbackInfo& info);
  Napi::Value JsDetach(const Napi::CallbackInfo& info);
  Napi::Value JsPin(const Napi::CallbackInfo& info);
  Napi::Value JsClose(const Napi::CallbackInfo& info);

  UniqueFd fd_;
  std::string name_;
};

/** Ids of the programs on a TCX hook. Returns 0 or a negative errno; EINVAL where the kernel has no TCX (before 6.6). */
int QueryTcx(uint32_t ifindex, bool ingress, std::vector<uint32_t>* program_ids);

/** Adds tcxQuery to the addon's exports. */
void InitTcxQuery(Napi::Env env, Napi::Object exports);

}  // namespace tortie
