// The memory of a BPF_F_MMAPABLE array as an ArrayBuffer, and its safe end.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

namespace tortie {

class MapMemory {
 public:
  /** Maps `size` bytes of the map behind `fd`, readable and writable. Throws. */
  MapMemory(Napi::Env env, int fd, size_t size, const std::string& map_name);

  /** The buffer; the same one as long as JavaScript keeps it. Empty if it was collected. */
  Napi::Value Buffer(Napi::Env env) const;

  /** Detaches the buffer, so that JavaScript sees length 0 instead of memory that is gone. */
  void Detach(Napi::Env env);

 private:
  struct Mapping;

  std::shared_ptr<Mapping> mapping_;
  Napi::Reference<Napi::ArrayBuffer> buffer_;
};

}  // namespace tortie
