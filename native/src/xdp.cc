// See xdp.h.
#include "xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include <cerrno>
#include <string>

#include "link.h"
#include "program.h"
#include "util/args.h"
#include "util/errors.h"

namespace tortie {
namespace {

std::string NameOf(uint32_t ifindex) { return "interface " + std::to_string(ifindex); }

/** 'native' or 'generic', as a flag of the link. */
uint32_t ToModeFlag(const Napi::Value& value) {
  const std::string text = ToText(value, "mode");
  if (text == "native") return XDP_FLAGS_DRV_MODE;
  if (text == "generic") return XDP_FLAGS_SKB_MODE;
  throw Napi::TypeError::New(value.Env(), "mode must be 'native' or 'generic'");
}

Napi::Value JsAttach(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const BpfProgram& program = BpfProgram::From(info[0], "program");
  const uint32_t ifindex = ToUint32(info[1], "ifindex");
  const std::string name = NameOf(ifindex) + " xdp";
  const LogCapture log;
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = ToModeFlag(info[2]));
  UniqueFd fd(bpf_link_create(program.Fd(env), static_cast<int>(ifindex), BPF_XDP, &options));
  if (!fd.valid()) ThrowErrno(env, errno, "attach xdp", name, log.text());
  return BpfLink::Make(env, LinkInit{std::move(fd), name});
}

Napi::Value JsQuery(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const uint32_t ifindex = ToUint32(info[0], "ifindex");
  const LogCapture log;
  LIBBPF_OPTS(bpf_xdp_query_opts, found);
  const int error = bpf_xdp_query(static_cast<int>(ifindex), 0, &found);
  if (error != 0) ThrowErrno(env, error, "query xdp", NameOf(ifindex), log.text());
  Napi::Object result = Napi::Object::New(env);
  result.Set("native", found.drv_prog_id);
  result.Set("generic", found.skb_prog_id);
  result.Set("offloaded", found.hw_prog_id);
  return result;
}

}  // namespace

void InitXdp(Napi::Env env, Napi::Object exports) {
  exports.Set("xdpAttach", Napi::Function::New<JsAttach>(env, "xdpAttach"));
  exports.Set("xdpQuery", Napi::Function::New<JsQuery>(env, "xdpQuery"));
}

}  // namespace tortie
