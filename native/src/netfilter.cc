// See netfilter.h.
#include "netfilter.h"

#include <bpf/bpf.h>
#include <linux/netfilter.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "link.h"
#include "program.h"
#include "util/args.h"
#include "util/errors.h"

namespace tortie {
namespace {

/** BPF_LINK_TYPE_NETFILTER (6.4). */
constexpr uint32_t kLinkTypeNetfilter = 10;

/** The link_create member of union bpf_attr for netfilter (6.4). */
struct NetfilterCreate {
  uint32_t program_fd;
  uint32_t target_fd;
  uint32_t attach_type;
  uint32_t flags;
  uint32_t family;
  uint32_t hook;
  int32_t priority;
  uint32_t netfilter_flags;
};

/** struct bpf_link_info of a netfilter link (6.4), with room for what later kernels append. */
struct NetfilterInfo {
  uint32_t type;
  uint32_t id;
  uint32_t program_id;
  uint32_t _pad;
  uint32_t family;
  uint32_t hook;
  int32_t priority;
  uint32_t flags;
  uint8_t more[96];
};

struct HookName {
  const char* name;
  uint32_t number;
};

constexpr HookName kHooks[] = {
    {"local-in", NF_INET_LOCAL_IN},
    {"forward", NF_INET_FORWARD},
    {"local-out", NF_INET_LOCAL_OUT},
};

uint32_t ToHook(const Napi::Value& value) {
  const std::string text = ToText(value, "hook");
  for (const HookName& hook : kHooks) {
    if (text == hook.name) return hook.number;
  }
  throw Napi::TypeError::New(value.Env(), "hook must be 'local-in', 'forward' or 'local-out'");
}

/** 4 or 6, as netfilter numbers the families. */
uint32_t ToFamily(const Napi::Value& value) {
  const uint32_t family = ToUint32(value, "family");
  if (family == 4) return NFPROTO_IPV4;
  if (family == 6) return NFPROTO_IPV6;
  throw Napi::RangeError::New(value.Env(), "family must be 4 or 6");
}

int32_t ToPriority(const Napi::Value& value) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), "priority must be a number");
  return value.As<Napi::Number>().Int32Value();
}

Napi::Value JsAttach(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const BpfProgram& program = BpfProgram::From(info[0], "program");
  NetfilterCreate create = {};
  create.program_fd = static_cast<uint32_t>(program.Fd(env));
  create.attach_type = kAttachTypeNetfilter;
  create.family = ToFamily(info[1]);
  create.hook = ToHook(info[2]);
  create.priority = ToPriority(info[3]);
  const std::string name = "IPv" + std::to_string(info[1].ToNumber().Uint32Value()) + " " + ToText(info[2], "hook");
  UniqueFd fd(static_cast<int>(syscall(SYS_bpf, BPF_LINK_CREATE, &create, sizeof(create))));
  if (!fd.valid()) ThrowErrno(env, errno, "attach netfilter", name);
  return BpfLink::Make(env, LinkInit{std::move(fd), name});
}

Napi::Value JsQuery(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const BpfLink& link = BpfLink::From(info[0], "link");
  NetfilterInfo read = {};
  __u32 length = sizeof(read);
  if (bpf_obj_get_info_by_fd(link.Fd(env), &read, &length) < 0) ThrowErrno(env, errno, "read info of link", link.name());
  if (read.type != kLinkTypeNetfilter) return env.Undefined();
  Napi::Object result = Napi::Object::New(env);
  result.Set("family", read.family == NFPROTO_IPV4 ? 4 : 6);
  for (const HookName& hook : kHooks) {
    if (hook.number == read.hook) result.Set("hook", Napi::String::New(env, hook.name));
  }
  result.Set("priority", read.priority);
  return result;
}

}  // namespace

bool HasNetfilterPrograms() {
  const bpf_insn program[] = {
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, NF_ACCEPT},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  LIBBPF_OPTS(bpf_prog_load_opts, options,
              .expected_attach_type = static_cast<bpf_attach_type>(kAttachTypeNetfilter));
  const size_t length = sizeof(program) / sizeof(program[0]);
  const auto type = static_cast<bpf_prog_type>(kProgramTypeNetfilter);
  return UniqueFd(bpf_prog_load(type, "tt_probe", "GPL", program, length, &options)).valid();
}

void InitNetfilter(Napi::Env env, Napi::Object exports) {
  exports.Set("netfilterAttach", Napi::Function::New<JsAttach>(env, "netfilterAttach"));
  exports.Set("netfilterQuery", Napi::Function::New<JsQuery>(env, "netfilterQuery"));
}

}  // namespace tortie
