// See map_memory.h.
#include "map_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "util/errors.h"

namespace tortie {

/** Unmapped once: by Detach, or when the last owner of the memory is collected. */
struct MapMemory::Mapping {
  void* address = nullptr;
  size_t length = 0;

  void Unmap() {
    if (address != nullptr) munmap(address, length);
    address = nullptr;
  }
  ~Mapping() { Unmap(); }
};

MapMemory::MapMemory(Napi::Env env, int fd, size_t size, const std::string& map_name) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t length = (size + page - 1) / page * page;
  void* address = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) ThrowErrno(env, errno, "mmap map", map_name);
  mapping_ = std::make_shared<Mapping>();
  mapping_->address = address;
  mapping_->length = length;
  auto* const owner = new std::shared_ptr<Mapping>(mapping_);
  const auto release = [](Napi::Env, void*, std::shared_ptr<Mapping>* hint) { delete hint; };
  buffer_ = Napi::Weak(Napi::ArrayBuffer::New(env, address, size, release, owner));
}

Napi::Value MapMemory::Buffer(Napi::Env) const { return buffer_.Value(); }

void MapMemory::Detach(Napi::Env env) {
  const Napi::HandleScope scope(env);
  Napi::ArrayBuffer buffer = buffer_.Value();
  if (buffer.IsEmpty()) return;
  // A buffer that was transferred has left its memory to another one, which may still be in use: then the memory
  // goes when that one is collected.
  if (buffer.Data() != mapping_->address) return;
  if (napi_detach_arraybuffer(env, buffer) == napi_ok) mapping_->Unmap();
}

}  // namespace tortie
