// See object_options.h.
#include "object_options.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "map.h"
#include "util/args.h"
#include "util/bpf_file.h"
#include "util/errors.h"

namespace tortie {
namespace {

struct MapChange {
  bpf_map* map = nullptr;
  uint32_t max_entries = 0; /* 0 = as the object says */
  uint32_t value_size = 0;  /* likewise */
  std::string pin_path;
};

std::vector<std::string> KeysOf(const Napi::Object& object) {
  const Napi::Array names = object.GetPropertyNames();
  std::vector<std::string> keys;
  for (uint32_t i = 0; i < names.Length(); i++) keys.push_back(names.Get(i).ToString().Utf8Value());
  return keys;
}

std::vector<MapChange> ReadMapChanges(Napi::Env env, bpf_object* object, const Napi::Object& options) {
  std::vector<MapChange> changes;
  const Napi::Value maps = options.Get("maps");
  if (maps.IsUndefined()) return changes;
  const Napi::Object by_name = ToObject(maps, "options.maps");
  for (const std::string& name : KeysOf(by_name)) {
    const Napi::Object wanted = ToObject(by_name.Get(name), name.c_str());
    MapChange change;
    change.map = bpf_object__find_map_by_name(object, name.c_str());
    if (change.map == nullptr) ThrowErrno(env, ENOENT, "set options of map", name);
    if (const Napi::Value value = wanted.Get("maxEntries"); !value.IsUndefined()) {
      change.max_entries = ToUint32(value, "maxEntries");
    }
    if (const Napi::Value value = wanted.Get("valueSize"); !value.IsUndefined()) {
      change.value_size = ToUint32(value, "valueSize");
    }
    if (const Napi::Value value = wanted.Get("pinPath"); !value.IsUndefined()) {
      change.pin_path = ToText(value, "pinPath");
    }
    changes.push_back(std::move(change));
  }
  return changes;
}

void Compare(const std::string& map, const char* what, uint32_t found, uint32_t expected,
             std::vector<std::string>* differences) {
  if (found == expected) return;
  differences->push_back("map " + map + ": " + what + " " + std::to_string(found) + ", expected " +
                         std::to_string(expected));
}

/** Adds what differs between the map pinned at change.pin_path, if there is one, and the one the object defines. */
void ComparePinned(Napi::Env env, const MapChange& change, std::vector<std::string>* differences) {
  if (change.pin_path.empty()) return;
  const UniqueFd pinned(bpf_obj_get(change.pin_path.c_str()));
  if (!pinned.valid() && errno == ENOENT) return;
  if (!pinned.valid()) ThrowErrno(env, errno, "open pinned map", change.pin_path);
  const std::string name = bpf_map__name(change.map);
  if (!IsBpfFile(pinned.get(), BpfFileKind::kMap)) {
    differences->push_back("map " + name + ": " + change.pin_path + " is not a map");
    return;
  }
  bpf_map_info info;
  if (const int error = ReadMapInfo(pinned.get(), &info)) ThrowErrno(env, error, "read info of map", change.pin_path);
  Compare(name, "type", info.type, bpf_map__type(change.map), differences);
  Compare(name, "key size", info.key_size, bpf_map__key_size(change.map), differences);
  const uint32_t value_size = change.value_size != 0 ? change.value_size : bpf_map__value_size(change.map);
  Compare(name, "value size", info.value_size, value_size, differences);
  const uint32_t entries = change.max_entries != 0 ? change.max_entries : bpf_map__max_entries(change.map);
  Compare(name, "max entries", info.max_entries, entries, differences);
  Compare(name, "flags", info.map_flags, bpf_map__map_flags(change.map), differences);
}

void RefuseDifferences(Napi::Env env, const std::string& path, const std::vector<std::string>& differences) {
  if (differences.empty()) return;
  Napi::Array list = Napi::Array::New(env, differences.size());
  for (uint32_t i = 0; i < differences.size(); i++) list.Set(i, Napi::String::New(env, differences[i]));
  std::string message = "load object " + path + ": ABI_MISMATCH";
  for (const std::string& difference : differences) message += "; " + difference;
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, "ABI_MISMATCH"));
  error.Set("errno", Napi::Number::New(env, EINVAL));
  error.Set("operation", Napi::String::New(env, "load object"));
  error.Set("target", Napi::String::New(env, path));
  error.Set("differences", list);
  throw error;
}

void ApplyMapChange(Napi::Env env, const MapChange& change) {
  const std::string name = bpf_map__name(change.map);
  if (change.max_entries != 0) {
    const int error = bpf_map__set_max_entries(change.map, change.max_entries);
    if (error != 0) ThrowErrno(env, error, "set max entries of map", name);
  }
  if (change.value_size != 0) {
    const int error = bpf_map__set_value_size(change.map, change.value_size);
    if (error != 0) ThrowErrno(env, error, "set value size of map", name);
  }
  if (!change.pin_path.empty()) {
    const int error = bpf_map__set_pin_path(change.map, change.pin_path.c_str());
    if (error != 0) ThrowErrno(env, error, "set pin path of map", name);
  }
}

/** libbpf prefixes the section with part of the object's name: `workload.rodata`. */
bpf_map* FindReadOnlyData(bpf_object* object) {
  constexpr char kSection[] = ".rodata";
  bpf_map* map;
  bpf_object__for_each_map(map, object) {
    const std::string name = bpf_map__name(map);
    const size_t at = name.rfind(kSection);
    if (bpf_map__is_internal(map) && at != std::string::npos && at + strlen(kSection) == name.size()) return map;
  }
  return nullptr;
}

/** Place of a variable in .rodata, from the object's BTF; nullptr if there is none of that name. */
const btf_var_secinfo* FindVariable(const btf* types, const std::string& name) {
  const int section = types != nullptr ? btf__find_by_name_kind(types, ".rodata", BTF_KIND_DATASEC) : -1;
  if (section < 0) return nullptr;
  const btf_type* type = btf__type_by_id(types, static_cast<__u32>(section));
  const btf_var_secinfo* variable = btf_var_secinfos(type);
  for (int i = 0; i < btf_vlen(type); i++, variable++) {
    const btf_type* declared = btf__type_by_id(types, variable->type);
    if (name == btf__name_by_offset(types, declared->name_off)) return variable;
  }
  return nullptr;
}

void OverrideReadOnlyData(Napi::Env env, bpf_object* object, const Napi::Object& options) {
  const Napi::Value rodata = options.Get("rodata");
  if (rodata.IsUndefined()) return;
  const Napi::Object by_name = ToObject(rodata, "options.rodata");
  bpf_map* const map = FindReadOnlyData(object);
  for (const std::string& name : KeysOf(by_name)) {
    const btf_var_secinfo* variable = FindVariable(bpf_object__btf(object), name);
    if (map == nullptr || variable == nullptr) ThrowErrno(env, ENOENT, "set .rodata variable", name);
    const Bytes bytes = ToBytes(by_name.Get(name), name.c_str(), variable->size);
    size_t size = 0;
    auto* const section = static_cast<uint8_t*>(const_cast<void*>(bpf_map__initial_value(map, &size)));
    if (section == nullptr || variable->offset + size_t{variable->size} > size) {
      ThrowErrno(env, EINVAL, "set .rodata variable", name);
    }
    memcpy(section + variable->offset, bytes.data, bytes.size);
  }
}

void SetLogLevel(Napi::Env env, bpf_object* object, const Napi::Object& options) {
  const Napi::Value level = options.Get("logLevel");
  if (level.IsUndefined()) return;
  bpf_program* program;
  bpf_object__for_each_program(program, object) {
    const int error = bpf_program__set_log_level(program, ToUint32(level, "logLevel"));
    if (error != 0) ThrowErrno(env, error, "set log level of program", bpf_program__name(program));
  }
}

}  // namespace

void ApplyOptions(Napi::Env env, bpf_object* object, const std::string& path, const Napi::Object& options) {
  const std::vector<MapChange> changes = ReadMapChanges(env, object, options);
  std::vector<std::string> differences;
  for (const MapChange& change : changes) ComparePinned(env, change, &differences);
  RefuseDifferences(env, path, differences);
  for (const MapChange& change : changes) ApplyMapChange(env, change);
  OverrideReadOnlyData(env, object, options);
  SetLogLevel(env, object, options);
}

}  // namespace tortie
