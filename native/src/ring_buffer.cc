// See ring_buffer.h.
#include "ring_buffer.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>

#include "map.h"
#include "util/args.h"
#include "util/errors.h"

namespace tortie {
namespace {

/** A full chunk is handed over at once; a smaller one as soon as the ring is empty. */
constexpr size_t kFullChunkBytes = 256 * 1024;

/**
 * How often the ring is looked at: when the last look found something, and when not. The programs wake nobody: the
 * wake-up would cost the packet that causes it more than its verdict does, an interrupt that the CPU sends itself. A ring
 * of 4 MiB holds 40,000 events, which is 4 million or 400,000 a second.
 */
constexpr int kBusyPeriodMs = 10;
constexpr int kIdlePeriodMs = 100;

}  // namespace

void Chunk::Append(const void* data, size_t size) {
  const uint32_t length = static_cast<uint32_t>(size);
  const size_t at = bytes.size();
  bytes.resize(at + sizeof(length) + (size + 7) / 8 * 8);
  memcpy(&bytes[at], &length, sizeof(length));
  memcpy(&bytes[at + sizeof(length)], data, size);
  records++;
}

RingBuffer::RingBuffer(const Napi::CallbackInfo& info) : Handle(info) {
  const Napi::Env env = info.Env();
  RingBufferInit init = TakeInit();
  map_fd_ = std::move(init.map_fd);
  name_ = std::move(init.name);
  on_chunk_ = std::move(init.on_chunk);
  const LogCapture log;
  ring_ = ring_buffer__new(map_fd_.get(), OnRecord, this, nullptr);
  if (ring_ == nullptr) ThrowErrno(env, errno, "open ring buffer", name_, log.text());
  if (on_chunk_.IsEmpty()) return;
  reader_ = std::make_unique<Reader<Chunk>>(
      env, kName, -1, kBusyPeriodMs, [this](Reader<Chunk>& reader) { return ReadAll(reader); },
      [this](Napi::Env js, Chunk& chunk) { Deliver(js, chunk); });
  Ref();
}

RingBuffer::~RingBuffer() {
  reader_.reset();
  ring_buffer__free(ring_);
}

void RingBuffer::Init(Napi::Env env, Napi::Object exports) {
  Register(env, exports,
           {
               OnClass<&RingBuffer::JsOpen>("open"),
               OnInstance<&RingBuffer::JsDrain>("drain"),
               OnInstance<&RingBuffer::JsClose>("close"),
           });
}

Napi::Value RingBuffer::JsOpen(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const BpfMap& map = BpfMap::From(info[0], "map");
  RingBufferInit init;
  if (!info[1].IsUndefined()) init.on_chunk = Napi::Persistent(ToFunction(info[1], "onChunk"));
  init.name = map.name();
  init.map_fd = Duplicate(map.Fd(env));
  if (!init.map_fd.valid()) ThrowErrno(env, errno, "duplicate descriptor of map", init.name);
  return Make(env, std::move(init));
}

/** libbpf counts a record as consumed even if this asks it to stop, so the record is kept in any case. */
int RingBuffer::OnRecord(void* self, void* data, size_t size) {
  auto* const ring = static_cast<RingBuffer*>(self);
  ring->chunk_.Append(data, size);
  if (!ring->reader_ || ring->chunk_.bytes.size() < kFullChunkBytes) return 0;
  return ring->reader_->Put(std::exchange(ring->chunk_, {})) ? 0 : -ECANCELED;
}

bool RingBuffer::ReadAll(Reader<Chunk>& reader) {
  const int result = ring_buffer__consume(ring_);
  reader.SetPeriod(result > 0 ? kBusyPeriodMs : kIdlePeriodMs);
  const bool more = chunk_.records == 0 || reader.Put(std::exchange(chunk_, {}));
  return more && result >= 0;
}

void RingBuffer::Deliver(Napi::Env env, Chunk& chunk) {
  on_chunk_.Call({FromBytes(env, chunk.bytes.data(), chunk.bytes.size()), Napi::Number::New(env, chunk.records)});
}

Napi::Value RingBuffer::JsDrain(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!map_fd_.valid()) ThrowClosed(env);
  if (reader_) throw Napi::Error::New(env, "drain ring buffer " + name_ + ": its thread reads it: open it without onChunk");
  const int result = ring_buffer__consume(ring_);
  const Chunk chunk = std::exchange(chunk_, {});
  if (result < 0) ThrowErrno(env, result, "drain ring buffer", name_);
  return FromBytes(env, chunk.bytes.data(), chunk.bytes.size());
}

Napi::Value RingBuffer::JsClose(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!map_fd_.valid()) return env.Undefined();
  map_fd_.Reset();
  if (reader_) {
    reader_->Stop();
    Unref();
  }
  ring_buffer__free(std::exchange(ring_, nullptr));
  return env.Undefined();
}

}  // namespace tortie
