// See program.h.
#include "program.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <vector>

#include "util/args.h"
#include "util/bpf_file.h"
#include "util/errors.h"

namespace tortie {
namespace {

/** Room for what a program may put in front of or behind a packet; the kernel's own test headroom is one page. */
constexpr size_t kGrowth = 4096;

std::string HexTag(const __u8* tag) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (int i = 0; i < BPF_TAG_SIZE; i++) {
    text += kDigits[tag[i] >> 4];
    text += kDigits[tag[i] & 15];
  }
  return text;
}

bpf_prog_info ReadInfo(Napi::Env env, int fd, const std::string& target) {
  bpf_prog_info info = {};
  __u32 length = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd, &info, &length) < 0) ThrowErrno(env, errno, "read info of program", target);
  return info;
}

}  // namespace

BpfProgram::BpfProgram(const Napi::CallbackInfo& info) : Handle(info) {
  ProgramInit init = TakeInit();
  fd_ = std::move(init.fd);
  name_ = std::move(init.name);
}

void BpfProgram::Init(Napi::Env env, Napi::Object exports) {
  Register(env, exports,
           {
               OnClass<&BpfProgram::JsOpenPinned>("openPinned"),
               Getter<&BpfProgram::JsInfo>("info"),
               OnInstance<&BpfProgram::JsTestRun>("testRun"),
               OnInstance<&BpfProgram::JsPin>("pin"),
               OnInstance<&BpfProgram::JsClose>("close"),
           });
}

int BpfProgram::Fd(Napi::Env env) const {
  if (!fd_.valid()) ThrowClosed(env);
  return fd_.get();
}

void BpfProgram::Release(Napi::Env) { fd_.Reset(); }

Napi::Value BpfProgram::JsOpenPinned(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = ToText(info[0], "path");
  UniqueFd fd = OpenPinned(env, path, BpfFileKind::kProgram);
  const bpf_prog_info read = ReadInfo(env, fd.get(), path);
  return Make(env, ProgramInit{std::move(fd), read.name});
}

Napi::Value BpfProgram::JsInfo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const bpf_prog_info read = ReadInfo(env, Fd(env), name_);
  Napi::Object result = Napi::Object::New(env);
  result.Set("id", read.id);
  result.Set("name", Napi::String::New(env, read.name));
  result.Set("type", read.type);
  result.Set("tag", HexTag(read.tag));
  result.Set("translatedBytes", read.xlated_prog_len);
  result.Set("jitedBytes", read.jited_prog_len);
  result.Set("verifiedInstructions", read.verified_insns);
  result.Set("runTimeNs", Napi::BigInt::New(env, uint64_t{read.run_time_ns}));
  result.Set("runCount", Napi::BigInt::New(env, uint64_t{read.run_cnt}));
  return result;
}

Napi::Value BpfProgram::JsTestRun(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = Fd(env);
  const Napi::Object options = ToObject(info[0], "options");
  const Bytes data = ToBytes(options.Get("data"), "data");
  const Napi::Value context = options.Get("context");
  const Napi::Value repeat = options.Get("repeat");
  const Bytes context_bytes = context.IsUndefined() ? Bytes{} : ToBytes(context, "context");
  std::vector<uint8_t> out(data.size + kGrowth);

  bpf_test_run_opts run = {};
  run.sz = sizeof(run);
  run.data_in = data.data;
  run.data_size_in = static_cast<__u32>(data.size);
  run.data_out = out.data();
  run.data_size_out = static_cast<__u32>(out.size());
  run.ctx_in = context_bytes.size > 0 ? context_bytes.data : nullptr;
  run.ctx_size_in = static_cast<__u32>(context_bytes.size);
  run.repeat = repeat.IsUndefined() ? 1 : static_cast<int>(ToUint32(repeat, "repeat"));
  if (bpf_prog_test_run_opts(fd, &run) < 0) ThrowErrno(env, errno, "test run program", name_);

  Napi::Object result = Napi::Object::New(env);
  result.Set("returnValue", run.retval);
  result.Set("durationNs", run.duration);
  result.Set("data", FromBytes(env, out.data(), run.data_size_out));
  return result;
}

Napi::Value BpfProgram::JsPin(const Napi::CallbackInfo& info) {
  PinFile(info.Env(), Fd(info.Env()), ToText(info[0], "path"));
  return info.Env().Undefined();
}

Napi::Value BpfProgram::JsClose(const Napi::CallbackInfo& info) {
  Release(info.Env());
  return info.Env().Undefined();
}

}  // namespace tortie
