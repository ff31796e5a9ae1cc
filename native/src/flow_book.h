// FlowBook: the flow ledger over mapped maps, for JavaScript.
#pragma once

#include <memory>

#include "flow_ledger.h"
#include "util/fd.h"
#include "util/handle.h"

namespace tortie {

/** Memory of a BPF_F_MMAPABLE array, mapped for as long as this lives. */
class MappedArray {
 public:
  MappedArray() = default;
  MappedArray(Napi::Env env, const Napi::Value& map, const char* name, size_t value_size, size_t least_entries);
  MappedArray(MappedArray&& other) noexcept : address_(other.address_), length_(other.length_) { other.address_ = nullptr; }
  MappedArray(const MappedArray&) = delete;
  MappedArray& operator=(const MappedArray&) = delete;
  ~MappedArray();

  template <typename T>
  T* As() const {
    return static_cast<T*>(address_);
  }

 private:
  void* address_ = nullptr;
  size_t length_ = 0;
};

struct FlowBookInit {
  MappedArray flows;
  MappedArray cache;
  MappedArray told;
  FlowShape shape;
};

class FlowBook : public Handle<FlowBook, FlowBookInit> {
 public:
  static constexpr char kName[] = "FlowBook";
  static constexpr napi_type_tag kTypeTag = {0x31b7d0e95ac84f62, 0x9d40e7a5c2f1700c};

  explicit FlowBook(const Napi::CallbackInfo& info);
  static void Init(Napi::Env env, Napi::Object exports);

 private:
  struct Open {
    FlowBookInit memory;
    FlowLedger ledger;
  };

  static Napi::Value JsOpen(const Napi::CallbackInfo& info);
  Napi::Value JsAdopt(const Napi::CallbackInfo& info);
  Napi::Value JsSweep(const Napi::CallbackInfo& info);
  Napi::Value JsSettle(const Napi::CallbackInfo& info);
  Napi::Value JsFlush(const Napi::CallbackInfo& info);
  Napi::Value JsLeftOut(const Napi::CallbackInfo& info);
  Napi::Value JsClose(const Napi::CallbackInfo& info);
  Open& Here(Napi::Env env);

  std::unique_ptr<Open> open_;
  FlowsLeftOut left_out_;
};

}  // namespace tortie
