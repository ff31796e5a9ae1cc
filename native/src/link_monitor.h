// LinkMonitor: tells JavaScript of interfaces that appear, change and vanish in this network namespace, of clsact filters on
// them that somebody adds, replaces or removes, and of their addresses.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "util/fd.h"
#include "util/handle.h"
#include "util/reader.h"

namespace tortie {

struct LinkChange {
  uint32_t ifindex = 0;
  std::string name;
  bool removed = false;
  bool filters = false;
  bool addresses = false;
  bool overrun = false;
};

struct LinkMonitorInit {
  UniqueFd socket;
  Napi::FunctionReference on_change;
};

class LinkMonitor : public Handle<LinkMonitor, LinkMonitorInit> {
 public:
  static constexpr char kName[] = "LinkMonitor";
  static constexpr napi_type_tag kTypeTag = {0x33c8e5170ba94d2e, 0xb5d96ea07f127006};

  explicit LinkMonitor(const Napi::CallbackInfo& info);
  ~LinkMonitor() override;
  static void Init(Napi::Env env, Napi::Object exports);

 private:
  using Changes = std::vector<LinkChange>;

  static Napi::Value JsOpen(const Napi::CallbackInfo& info);
  Napi::Value JsClose(const Napi::CallbackInfo& info);

  bool ReadOne(Reader<Changes>& reader);
  void Deliver(Napi::Env env, const Changes& changes);

  UniqueFd socket_;
  Napi::FunctionReference on_change_;
  std::vector<char> buffer_;
  std::unique_ptr<Reader<Changes>> reader_;
};

}  // namespace tortie
