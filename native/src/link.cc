// See link.h.
#include "link.h"

#include <bpf/bpf.h>
#include <sys/syscall.h>

#include <cerrno>

#include "program.h"
#include "util/args.h"
#include "util/bpf_file.h"
#include "util/errors.h"

namespace tortie {
namespace {

/* By number: headers older than 6.6 lack BPF_TCX_INGRESS and BPF_TCX_EGRESS. */
constexpr uint32_t kTcxIngress = 46;
constexpr uint32_t kTcxEgress = 47;

/** BPF_F_BEFORE (6.6); without a program to be relative to it means the head of the list. */
constexpr uint32_t kBefore = 1U << 3;

/** BPF_MPROG_MAX, kernel/bpf/mprog.c (6.6). */
constexpr uint32_t kMaxTcxPrograms = 64;

uint32_t AttachType(bool ingress) { return ingress ? kTcxIngress : kTcxEgress; }

const char* DirectionName(bool ingress) { return ingress ? "ingress" : "egress"; }

/** struct bpf_link_info of a TCX link (6.6), with room for what later kernels append. */
struct TcxLinkInfo {
  uint32_t type;
  uint32_t id;
  uint32_t program_id;
  uint32_t _pad;
  uint32_t ifindex;
  uint32_t attach_type;
  uint8_t more[104];
};

/** The query member of union bpf_attr (6.6). The kernel writes `revision` whatever the size says, so it must be there. */
struct TcxQuery {
  uint32_t ifindex;
  uint32_t attach_type;
  uint32_t query_flags;
  uint32_t attach_flags;
  uint64_t program_ids;
  uint32_t count;
  uint32_t _pad;
  uint64_t program_attach_flags;
  uint64_t link_ids;
  uint64_t link_attach_flags;
  uint64_t revision;
};

}  // namespace

int QueryTcx(uint32_t ifindex, bool ingress, std::vector<uint32_t>* program_ids) {
  program_ids->resize(kMaxTcxPrograms);
  TcxQuery query = {};
  query.ifindex = ifindex;
  query.attach_type = AttachType(ingress);
  query.program_ids = reinterpret_cast<uint64_t>(program_ids->data());
  query.count = kMaxTcxPrograms;
  if (syscall(SYS_bpf, BPF_PROG_QUERY, &query, sizeof(query)) < 0) return -errno;
  program_ids->resize(query.count);
  return 0;
}

BpfLink::BpfLink(const Napi::CallbackInfo& info) : Handle(info) {
  LinkInit init = TakeInit();
  fd_ = std::move(init.fd);
  name_ = std::move(init.name);
}

void BpfLink::Init(Napi::Env env, Napi::Object exports) {
  Register(env, exports,
           {
               OnClass<&BpfLink::JsAttachTcx>("attachTcx"),
               OnClass<&BpfLink::JsOpenPinned>("openPinned"),
               Getter<&BpfLink::JsInfo>("info"),
               OnInstance<&BpfLink::JsUpdate>("update"),
               OnInstance<&BpfLink::JsDetach>("detach"),
               OnInstance<&BpfLink::JsPin>("pin"),
               OnInstance<&BpfLink::JsClose>("close"),
           });
}

int BpfLink::Fd(Napi::Env env) const {
  if (!fd_.valid()) ThrowClosed(env);
  return fd_.get();
}

Napi::Value BpfLink::JsAttachTcx(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const BpfProgram& program = BpfProgram::From(info[0], "program");
  const uint32_t ifindex = ToUint32(info[1], "ifindex");
  const bool ingress = ToIsIngress(info[2]);
  const std::string name = "interface " + std::to_string(ifindex) + " " + DirectionName(ingress);
  const LogCapture log;
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = kBefore);
  UniqueFd fd(bpf_link_create(program.Fd(env), static_cast<int>(ifindex), static_cast<bpf_attach_type>(AttachType(ingress)),
                              &options));
  if (!fd.valid()) ThrowErrno(env, errno, "attach tcx", name, log.text());
  return Make(env, LinkInit{std::move(fd), name});
}

Napi::Value BpfLink::JsOpenPinned(const Napi::CallbackInfo& info) {
  const std::string path = ToText(info[0], "path");
  return Make(info.Env(), LinkInit{OpenPinned(info.Env(), path, BpfFileKind::kLink), path});
}

Napi::Value BpfLink::JsInfo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  TcxLinkInfo read = {};
  __u32 length = sizeof(read);
  if (bpf_obj_get_info_by_fd(Fd(env), &read, &length) < 0) ThrowErrno(env, errno, "read info of link", name_);
  Napi::Object result = Napi::Object::New(env);
  result.Set("id", read.id);
  result.Set("programId", read.program_id);
  result.Set("ifindex", read.ifindex);
  return result;
}

Napi::Value BpfLink::JsUpdate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = Fd(env);
  const BpfProgram& program = BpfProgram::From(info[0], "program");
  if (bpf_link_update(fd, program.Fd(env), nullptr) < 0) ThrowErrno(env, errno, "update link", name_);
  return env.Undefined();
}

Napi::Value BpfLink::JsDetach(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (bpf_link_detach(Fd(env)) < 0) ThrowErrno(env, errno, "detach link", name_);
  return env.Undefined();
}

Napi::Value BpfLink::JsPin(const Napi::CallbackInfo& info) {
  PinFile(info.Env(), Fd(info.Env()), ToText(info[0], "path"));
  return info.Env().Undefined();
}

Napi::Value BpfLink::JsClose(const Napi::CallbackInfo& info) {
  fd_.Reset();
  return info.Env().Undefined();
}

namespace {

Napi::Value JsTcxQuery(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const uint32_t ifindex = ToUint32(info[0], "ifindex");
  const bool ingress = ToIsIngress(info[1]);
  std::vector<uint32_t> ids;
  if (const int error = QueryTcx(ifindex, ingress, &ids)) {
    ThrowErrno(env, error, "query tcx", "interface " + std::to_string(ifindex) + " " + DirectionName(ingress));
  }
  Napi::Array result = Napi::Array::New(env, ids.size());
  for (uint32_t i = 0; i < ids.size(); i++) result.Set(i, ids[i]);
  return result;
}

}  // namespace

void InitTcxQuery(Napi::Env env, Napi::Object exports) {
  exports.Set("tcxQuery", Napi::Function::New<JsTcxQuery>(env, "tcxQuery"));
}

}  // namespace tortie
