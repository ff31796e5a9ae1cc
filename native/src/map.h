// BpfMap: one kernel map by its descriptor. Which maps there are and what their bytes mean is TypeScript's business.
#pragma once

#include <linux/bpf.h>

#include <memory>
#include <string>
#include <vector>

#include "map_memory.h"
#include "util/args.h"
#include "util/fd.h"
#include "util/handle.h"

namespace tortie {

struct MapInit {
  UniqueFd fd;
  bpf_map_info info;
};

/** Fills `info` from a map's descriptor. Returns 0 or a negative errno. */
int ReadMapInfo(int fd, bpf_map_info* info);

class BpfMap : public Handle<BpfMap, MapInit> {
 public:
  static constexpr char kName[] = "BpfMap";
  static constexpr napi_type_tag kTypeTag = {0x5d0c4b9ee6a84c1f, 0x9b1b3f0ad4d07001};

  explicit BpfMap(const Napi::CallbackInfo& info);
  static void Init(Napi::Env env, Napi::Object exports);

  /** Throws if closed. */
  int Fd(Napi::Env env) const;
  const bpf_map_info& info() const { return info_; }
  std::string name() const { return info_.name; }
  /** Closes the descriptor and takes the memory away from JavaScript; again is harmless. */
  void Release(Napi::Env env);

 private:
  static Napi::Value JsOpenPinned(const Napi::CallbackInfo& info);
  Napi::Value JsInfo(const Napi::CallbackInfo& info);
  Napi::Value JsLookup(const Napi::CallbackInfo& info);
  Napi::Value JsUpdate(const Napi::CallbackInfo& info);
  Napi::Value JsUpdateBatch(const Napi::CallbackInfo& info);
  Napi::Value JsSetProgram(const Napi::CallbackInfo& info);
  Napi::Value JsDelete(const Napi::CallbackInfo& info);
  Napi::Value JsKeys(const Napi::CallbackInfo& info);
  Napi::Value JsEntries(const Napi::CallbackInfo& info);
  Napi::Value JsMmap(const Napi::CallbackInfo& info);
  Napi::Value JsPin(const Napi::CallbackInfo& info);
  Napi::Value JsClose(const Napi::CallbackInfo& info);

  UniqueFd fd_;
  bpf_map_info info_;
  /** Bytes of a value as system calls pass it: all CPUs' copies for per-CPU maps. */
  size_t value_bytes_;
  std::unique_ptr<MapMemory> memory_;
};

}  // namespace tortie
