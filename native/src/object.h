// BpfObject: loads one ELF object through libbpf and keeps the descriptors of what came out of it.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "util/fd.h"
#include "util/handle.h"

namespace tortie {

struct LoadedPart {
  std::string name;
  UniqueFd fd;
};

struct ObjectInit {
  std::string path;
  std::string log;
  std::vector<LoadedPart> maps;
  std::vector<LoadedPart> programs;
};

class BpfObject : public Handle<BpfObject, ObjectInit> {
 public:
  static constexpr char kName[] = "BpfObject";
  static constexpr napi_type_tag kTypeTag = {0x2a9c77f0b1d54e63, 0x93e0a47d5c1f7003};

  explicit BpfObject(const Napi::CallbackInfo& info);
  static void Init(Napi::Env env, Napi::Object exports);

 private:
  static Napi::Value JsOpen(const Napi::CallbackInfo& info);
  Napi::Value JsMaps(const Napi::CallbackInfo& info);
  Napi::Value JsPrograms(const Napi::CallbackInfo& info);
  Napi::Value JsMap(const Napi::CallbackInfo& info);
  Napi::Value JsProgram(const Napi::CallbackInfo& info);
  Napi::Value JsLog(const Napi::CallbackInfo& info);
  Napi::Value JsClose(const Napi::CallbackInfo& info);

  /** A descriptor of its own for a new handle. Throws if closed, or if there is no such part. */
  UniqueFd Take(Napi::Env env, const std::vector<LoadedPart>& parts, const char* kind, const std::string& name) const;
  /** Remembers a handle without keeping it alive. */
  void Adopt(std::vector<Napi::ObjectReference>* children, Napi::Object child);

  ObjectInit init_;
  bool closed_ = false;
  std::vector<Napi::ObjectReference> map_handles_;
  std::vector<Napi::ObjectReference> program_handles_;
};

}  // namespace tortie
