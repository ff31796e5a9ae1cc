// See map.h. Walking a whole map is in map_entries.cc.
#include "map.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>

#include "program.h"
#include "util/bpf_file.h"
#include "util/errors.h"

namespace tortie {
namespace {

size_t RoundUp8(size_t size) { return (size + 7) / 8 * 8; }

size_t ValueBytes(Napi::Env env, const bpf_map_info& info) {
  switch (info.type) {
    case BPF_MAP_TYPE_PERCPU_HASH:
    case BPF_MAP_TYPE_PERCPU_ARRAY:
    case BPF_MAP_TYPE_LRU_PERCPU_HASH:
    case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE: {
      const int cpus = libbpf_num_possible_cpus();
      if (cpus < 0) ThrowErrno(env, cpus, "count possible CPUs for map", info.name);
      return RoundUp8(info.value_size) * static_cast<size_t>(cpus);
    }
    default:
      return info.value_size;
  }
}

}  // namespace

int ReadMapInfo(int fd, bpf_map_info* info) {
  *info = {};
  __u32 length = sizeof(*info);
  return bpf_obj_get_info_by_fd(fd, info, &length) < 0 ? -errno : 0;
}

BpfMap::BpfMap(const Napi::CallbackInfo& info) : Handle(info) {
  MapInit init = TakeInit();
  fd_ = std::move(init.fd);
  info_ = init.info;
  value_bytes_ = ValueBytes(info.Env(), info_);
}

void BpfMap::Init(Napi::Env env, Napi::Object exports) {
  Register(env, exports,
           {
               OnClass<&BpfMap::JsOpenPinned>("openPinned"),
               Getter<&BpfMap::JsInfo>("info"),
               OnInstance<&BpfMap::JsLookup>("lookup"),
               OnInstance<&BpfMap::JsUpdate>("update"),
               OnInstance<&BpfMap::JsUpdateBatch>("updateBatch"),
               OnInstance<&BpfMap::JsSetProgram>("setProgram"),
               OnInstance<&BpfMap::JsDelete>("delete"),
               OnInstance<&BpfMap::JsKeys>("keys"),
               OnInstance<&BpfMap::JsEntries>("entries"),
               OnInstance<&BpfMap::JsMmap>("mmap"),
               OnInstance<&BpfMap::JsPin>("pin"),
               OnInstance<&BpfMap::JsClose>("close"),
           });
}

int BpfMap::Fd(Napi::Env env) const {
  if (!fd_.valid()) ThrowClosed(env);
  return fd_.get();
}

void BpfMap::Release(Napi::Env env) {
  if (memory_) memory_->Detach(env);
  memory_.reset();
  fd_.Reset();
}

Napi::Value BpfMap::JsOpenPinned(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = ToText(info[0], "path");
  MapInit init{OpenPinned(env, path, BpfFileKind::kMap), {}};
  if (const int error = ReadMapInfo(init.fd.get(), &init.info)) ThrowErrno(env, error, "read info of map", path);
  return Make(env, std::move(init));
}

Napi::Value BpfMap::JsInfo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Fd(env);
  Napi::Object result = Napi::Object::New(env);
  result.Set("id", info_.id);
  result.Set("name", name());
  result.Set("type", info_.type);
  result.Set("keySize", info_.key_size);
  result.Set("valueSize", info_.value_size);
  result.Set("maxEntries", info_.max_entries);
  result.Set("flags", info_.map_flags);
  return result;
}

Napi::Value BpfMap::JsLookup(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = Fd(env);
  const Bytes key = ToBytes(info[0], "key", info_.key_size);
  auto value = Napi::Uint8Array::New(env, value_bytes_);
  if (bpf_map_lookup_elem(fd, key.data, value.Data()) == 0) return value;
  if (errno == ENOENT) return env.Undefined();
  ThrowErrno(env, errno, "lookup map", name());
}

Napi::Value BpfMap::JsUpdate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = Fd(env);
  const Bytes key = ToBytes(info[0], "key", info_.key_size);
  const Bytes value = ToBytes(info[1], "value", value_bytes_);
  const uint32_t flags = ToUint32(info[2], "flags");
  if (bpf_map_update_elem(fd, key.data, value.data, flags) < 0) ThrowErrno(env, errno, "update map", name());
  return env.Undefined();
}

Napi::Value BpfMap::JsUpdateBatch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = Fd(env);
  const uint32_t count = ToUint32(info[2], "count");
  const Bytes keys = ToBytes(info[0], "keys", size_t{count} * info_.key_size);
  const Bytes values = ToBytes(info[1], "values", size_t{count} * value_bytes_);
  if (count == 0) return env.Undefined();
  __u32 done = count;
  if (bpf_map_update_batch(fd, keys.data, values.data, &done, nullptr) < 0) {
    const int error = errno;
    ThrowErrno(env, error, "update batch of map", name() + " at entry " + std::to_string(done < count ? done : 0) +
                                                      " of " + std::to_string(count));
  }
  return env.Undefined();
}

Napi::Value BpfMap::JsSetProgram(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = Fd(env);
  const uint32_t index = ToUint32(info[0], "index");
  const int program = BpfProgram::From(info[1], "program").Fd(env);
  if (info_.type != BPF_MAP_TYPE_PROG_ARRAY) ThrowErrno(env, EINVAL, "set program in map", name());
  if (bpf_map_update_elem(fd, &index, &program, BPF_ANY) < 0) ThrowErrno(env, errno, "set program in map", name());
  return env.Undefined();
}

Napi::Value BpfMap::JsDelete(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = Fd(env);
  const Bytes key = ToBytes(info[0], "key", info_.key_size);
  if (bpf_map_delete_elem(fd, key.data) == 0) return Napi::Boolean::New(env, true);
  if (errno == ENOENT) return Napi::Boolean::New(env, false);
  ThrowErrno(env, errno, "delete from map", name());
}

Napi::Value BpfMap::JsMmap(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = Fd(env);
  if (memory_) {
    const Napi::Value buffer = memory_->Buffer(env);
    if (!buffer.IsEmpty()) return buffer;
  }
  memory_ = std::make_unique<MapMemory>(env, fd, RoundUp8(info_.value_size) * info_.max_entries, name());
  return memory_->Buffer(env);
}

Napi::Value BpfMap::JsPin(const Napi::CallbackInfo& info) {
  PinFile(info.Env(), Fd(info.Env()), ToText(info[0], "path"));
  return info.Env().Undefined();
}

Napi::Value BpfMap::JsClose(const Napi::CallbackInfo& info) {
  Release(info.Env());
  return info.Env().Undefined();
}

}  // namespace tortie
