// See object.h. What the options change before the load is in object_options.cc.
#include "object.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "map.h"
#include "object_options.h"
#include "program.h"
#include "util/args.h"
#include "util/errors.h"

namespace tortie {
namespace {

struct CloseObject {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using ObjectPointer = std::unique_ptr<bpf_object, CloseObject>;

LoadedPart Keep(Napi::Env env, const char* name, int fd) {
  UniqueFd own = Duplicate(fd);
  if (!own.valid()) ThrowErrno(env, errno, "keep descriptor of", name);
  return {name, std::move(own)};
}

/** libbpf's copy of the ELF file and its BTF go when `object` is closed; the descriptors live on. */
void KeepParts(Napi::Env env, bpf_object* object, ObjectInit* init) {
  bpf_map* map;
  bpf_object__for_each_map(map, object) init->maps.push_back(Keep(env, bpf_map__name(map), bpf_map__fd(map)));
  bpf_program* program;
  bpf_object__for_each_program(program, object) {
    init->programs.push_back(Keep(env, bpf_program__name(program), bpf_program__fd(program)));
  }
}

Napi::Value NamesOf(Napi::Env env, const std::vector<LoadedPart>& parts) {
  Napi::Array names = Napi::Array::New(env, parts.size());
  for (uint32_t i = 0; i < parts.size(); i++) names.Set(i, Napi::String::New(env, parts[i].name));
  return names;
}

}  // namespace

BpfObject::BpfObject(const Napi::CallbackInfo& info) : Handle(info), init_(TakeInit()) {}

void BpfObject::Init(Napi::Env env, Napi::Object exports) {
  Register(env, exports,
           {
               OnClass<&BpfObject::JsOpen>("open"),
               Getter<&BpfObject::JsMaps>("maps"),
               Getter<&BpfObject::JsPrograms>("programs"),
               Getter<&BpfObject::JsLog>("log"),
               OnInstance<&BpfObject::JsMap>("map"),
               OnInstance<&BpfObject::JsProgram>("program"),
               OnInstance<&BpfObject::JsClose>("close"),
           });
}

Napi::Value BpfObject::JsOpen(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  ObjectInit init;
  init.path = ToText(info[0], "path");
  const Napi::Object options = ToObject(info[1], "options");
  const LogCapture log;
  const ObjectPointer object(bpf_object__open_file(init.path.c_str(), nullptr));
  if (!object) ThrowErrno(env, errno, "open object", init.path, log.text());
  ApplyOptions(env, object.get(), init.path, options);
  const int error = bpf_object__load(object.get());
  if (error != 0) ThrowErrno(env, error, "load object", init.path, log.text());
  KeepParts(env, object.get(), &init);
  init.log = log.text();
  return Make(env, std::move(init));
}

UniqueFd BpfObject::Take(Napi::Env env, const std::vector<LoadedPart>& parts, const char* kind,
                         const std::string& name) const {
  if (closed_) ThrowClosed(env);
  const auto found = std::find_if(parts.begin(), parts.end(), [&](const LoadedPart& part) { return part.name == name; });
  if (found == parts.end()) ThrowErrno(env, ENOENT, std::string("find ") + kind + " in " + init_.path, name);
  UniqueFd fd = Duplicate(found->fd.get());
  if (!fd.valid()) ThrowErrno(env, errno, std::string("duplicate descriptor of ") + kind, name);
  return fd;
}

void BpfObject::Adopt(std::vector<Napi::ObjectReference>* children, Napi::Object child) {
  const auto is_gone = [](const Napi::ObjectReference& reference) { return reference.Value().IsEmpty(); };
  children->erase(std::remove_if(children->begin(), children->end(), is_gone), children->end());
  children->push_back(Napi::Weak(child));
}

Napi::Value BpfObject::JsMaps(const Napi::CallbackInfo& info) { return NamesOf(info.Env(), init_.maps); }

Napi::Value BpfObject::JsPrograms(const Napi::CallbackInfo& info) { return NamesOf(info.Env(), init_.programs); }

Napi::Value BpfObject::JsLog(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), init_.log); }

Napi::Value BpfObject::JsMap(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string name = ToText(info[0], "name");
  MapInit init{Take(env, init_.maps, "map", name), {}};
  if (const int error = ReadMapInfo(init.fd.get(), &init.info)) ThrowErrno(env, error, "read info of map", name);
  const Napi::Object map = BpfMap::Make(env, std::move(init));
  Adopt(&map_handles_, map);
  return map;
}

Napi::Value BpfObject::JsProgram(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string name = ToText(info[0], "name");
  const Napi::Object program = BpfProgram::Make(env, ProgramInit{Take(env, init_.programs, "program", name), name});
  Adopt(&program_handles_, program);
  return program;
}

Napi::Value BpfObject::JsClose(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  for (const Napi::ObjectReference& handle : map_handles_) {
    if (!handle.Value().IsEmpty()) BpfMap::From(handle.Value(), "map").Release(env);
  }
  for (const Napi::ObjectReference& handle : program_handles_) {
    if (!handle.Value().IsEmpty()) BpfProgram::From(handle.Value(), "program").Release(env);
  }
  map_handles_.clear();
  program_handles_.clear();
  for (LoadedPart& part : init_.maps) part.fd.Reset();
  for (LoadedPart& part : init_.programs) part.fd.Reset();
  closed_ = true;
  return env.Undefined();
}

}  // namespace tortie
