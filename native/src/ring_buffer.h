// RingBuffer: BPF_MAP_TYPE_RINGBUF records to JavaScript in packed chunks, by a thread of its own or on demand.
#pragma once

#include <memory>
#include <vector>

#include "util/fd.h"
#include "util/handle.h"
#include "util/reader.h"

struct ring_buffer;

namespace tortie {

/** Records in the packed form that index.d.ts describes. */
struct Chunk {
  std::vector<uint8_t> bytes;
  uint32_t records = 0;

  void Append(const void* data, size_t size);
};

struct RingBufferInit {
  UniqueFd map_fd;
  std::string name;
  Napi::FunctionReference on_chunk; /* empty: nobody reads but drain() */
};

class RingBuffer : public Handle<RingBuffer, RingBufferInit> {
 public:
  static constexpr char kName[] = "RingBuffer";
  static constexpr napi_type_tag kTypeTag = {0x60a2fb18cd3e4975, 0x8e7c01d2f54b7005};

  explicit RingBuffer(const Napi::CallbackInfo& info);
  ~RingBuffer() override;
  static void Init(Napi::Env env, Napi::Object exports);

 private:
  static Napi::Value JsOpen(const Napi::CallbackInfo& info);
  Napi::Value JsDrain(const Napi::CallbackInfo& info);
  Napi::Value JsClose(const Napi::CallbackInfo& info);

  static int OnRecord(void* self, void* data, size_t size);
  bool ReadAll(Reader<Chunk>& reader);
  void Deliver(Napi::Env env, Chunk& chunk);

  UniqueFd map_fd_;
  std::string name_;
  Napi::FunctionReference on_chunk_;
  ring_buffer* ring_ = nullptr;
  std::unique_ptr<Reader<Chunk>> reader_;
  /** Filled by OnRecord; belongs to the thread while there is one. */
  Chunk chunk_;
};

}  // namespace tortie
