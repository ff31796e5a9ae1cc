// Walking a whole map: keys one by one, entries in batches where the kernel has them.
#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>

#include "map.h"
#include "util/errors.h"

namespace tortie {
namespace {

constexpr __u32 kFirstBatch = 1024;

struct Walk {
  std::vector<uint8_t> keys;
  std::vector<uint8_t> values;
  size_t count = 0;
};

bool IsWithoutBatch(int error) { return error == 524 || error == EOPNOTSUPP || error == EINVAL; }

/**
 * All keys by GET_NEXT_KEY. A key deleted under the walk sends a hash map back to its first key (kernel/bpf/hashtab.c),
 * so the walk ends after max_entries steps at the latest. Returns 0 or a negative errno.
 */
int WalkKeys(int fd, const bpf_map_info& info, std::vector<uint8_t>* keys) {
  std::vector<uint8_t> key(info.key_size);
  const void* previous = nullptr;
  for (__u32 step = 0; step < info.max_entries; step++) {
    if (bpf_map_get_next_key(fd, previous, key.data()) < 0) return errno == ENOENT ? 0 : -errno;
    keys->insert(keys->end(), key.begin(), key.end());
    previous = keys->data() + keys->size() - info.key_size;
  }
  return 0;
}

int WalkOneByOne(int fd, const bpf_map_info& info, size_t value_bytes, Walk* walk) {
  std::vector<uint8_t> keys;
  if (const int error = WalkKeys(fd, info, &keys)) return error;
  std::vector<uint8_t> value(value_bytes);
  for (size_t at = 0; at < keys.size(); at += info.key_size) {
    if (bpf_map_lookup_elem(fd, &keys[at], value.data()) < 0) {
      if (errno == ENOENT) continue;  // deleted since
      return -errno;
    }
    walk->keys.insert(walk->keys.end(), &keys[at], &keys[at] + info.key_size);
    walk->values.insert(walk->values.end(), value.begin(), value.end());
    walk->count++;
  }
  return 0;
}

/** The cursor is a bucket number for hash maps and a key for the others. ENOSPC = a bucket is larger than the batch. */
int WalkInBatches(int fd, const bpf_map_info& info, size_t value_bytes, Walk* walk) {
  std::vector<uint8_t> cursor(std::max<size_t>(info.key_size, 8));
  __u32 batch = std::min(info.max_entries, kFirstBatch);
  for (bool first = true;; ) {
    walk->keys.resize((walk->count + batch) * info.key_size);
    walk->values.resize((walk->count + batch) * value_bytes);
    __u32 got = batch;
    const int result = bpf_map_lookup_batch(fd, first ? nullptr : cursor.data(), cursor.data(),
                                            walk->keys.data() + walk->count * info.key_size,
                                            walk->values.data() + walk->count * value_bytes, &got, nullptr);
    const int error = result < 0 ? errno : 0;
    if (error == ENOSPC && batch < UINT32_MAX / 2) {
      batch *= 2;
      continue;
    }
    if (error != 0 && error != ENOENT) return -error;
    walk->count += got;
    first = false;
    if (error == ENOENT) break;
  }
  walk->keys.resize(walk->count * info.key_size);
  walk->values.resize(walk->count * value_bytes);
  return 0;
}

}  // namespace

Napi::Value BpfMap::JsKeys(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<uint8_t> keys;
  if (const int error = WalkKeys(Fd(env), info_, &keys)) ThrowErrno(env, error, "walk keys of map", name());
  return FromBytes(env, keys.data(), keys.size());
}

Napi::Value BpfMap::JsEntries(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = Fd(env);
  Walk walk;
  int error = WalkInBatches(fd, info_, value_bytes_, &walk);
  if (IsWithoutBatch(-error)) {
    walk = {};
    error = WalkOneByOne(fd, info_, value_bytes_, &walk);
  }
  if (error != 0) ThrowErrno(env, error, "walk map", name());
  Napi::Object result = Napi::Object::New(env);
  result.Set("keys", FromBytes(env, walk.keys.data(), walk.keys.size()));
  result.Set("values", FromBytes(env, walk.values.data(), walk.values.size()));
  result.Set("count", Napi::Number::New(env, static_cast<double>(walk.count)));
  return result;
}

}  // namespace tortie
