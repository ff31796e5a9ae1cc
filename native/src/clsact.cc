// See clsact.h.
#include "clsact.h"

#include <bpf/libbpf.h>

#include <cerrno>

#include "program.h"
#include "util/args.h"
#include "util/errors.h"

namespace tortie {
namespace {

/** Where a filter sits: the four arguments that all three functions take. */
struct Place {
  bpf_tc_hook hook = {};
  bpf_tc_opts filter = {};
  std::string name;
};

Place ToPlace(const Napi::CallbackInfo& info, size_t first) {
  Place place;
  const bool ingress = ToIsIngress(info[first + 1]);
  place.hook.sz = sizeof(place.hook);
  place.hook.ifindex = static_cast<int>(ToUint32(info[first], "ifindex"));
  place.hook.attach_point = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
  place.filter.sz = sizeof(place.filter);
  place.filter.handle = ToUint32(info[first + 2], "handle");
  place.filter.priority = ToUint32(info[first + 3], "priority");
  place.name = "interface " + std::to_string(place.hook.ifindex) + (ingress ? " ingress" : " egress");
  return place;
}

/** ENOENT: no such filter; EINVAL: no clsact qdisc to hold one. */
bool IsAbsent(int error) { return error == -ENOENT || error == -EINVAL; }

Napi::Value JsAttach(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Place place = ToPlace(info, 1);
  const BpfProgram& program = BpfProgram::From(info[0], "program");
  const LogCapture log;
  const int created = bpf_tc_hook_create(&place.hook);
  if (created != 0 && created != -EEXIST) ThrowErrno(env, created, "create clsact", place.name, log.text());
  place.filter.prog_fd = program.Fd(env);
  place.filter.flags = BPF_TC_F_REPLACE;
  const int error = bpf_tc_attach(&place.hook, &place.filter);
  if (error != 0) ThrowErrno(env, error, "attach clsact", place.name, log.text());
  return env.Undefined();
}

Napi::Value JsQuery(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Place place = ToPlace(info, 0);
  const LogCapture log;
  const int error = bpf_tc_query(&place.hook, &place.filter);
  if (IsAbsent(error)) return Napi::Number::New(env, 0);
  if (error != 0) ThrowErrno(env, error, "query clsact", place.name, log.text());
  return Napi::Number::New(env, place.filter.prog_id);
}

Napi::Value JsDetach(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Place place = ToPlace(info, 0);
  const LogCapture log;
  const int error = bpf_tc_detach(&place.hook, &place.filter);
  if (error != 0) ThrowErrno(env, error, "detach clsact", place.name, log.text());
  return env.Undefined();
}

}  // namespace

void InitClsact(Napi::Env env, Napi::Object exports) {
  exports.Set("clsactAttach", Napi::Function::New<JsAttach>(env, "clsactAttach"));
  exports.Set("clsactQuery", Napi::Function::New<JsQuery>(env, "clsactQuery"));
  exports.Set("clsactDetach", Napi::Function::New<JsDetach>(env, "clsactDetach"));
  exports.Set("clsactFilters", Napi::Function::New<JsClsactFilters>(env, "clsactFilters"));
}

}  // namespace tortie
