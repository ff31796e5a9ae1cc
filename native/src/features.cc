// See features.h.
#include "features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>

#include "link.h"
#include "netfilter.h"
#include "util/errors.h"
#include "util/fd.h"

namespace tortie {
namespace {

constexpr uint32_t kLoopback = 1; /* in every network namespace */
constexpr uint32_t kLargeValue = (4 << 20) + 8; /* older kernels: what kmalloc can give, 4 MiB, is the most */
constexpr int kRedirectPeerHelper = 155;

UniqueFd TryMap(bpf_map_type type, uint32_t key_size, uint32_t value_size, uint32_t entries, uint32_t flags) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
  return UniqueFd(bpf_map_create(type, "tt_probe", key_size, value_size, entries, &options));
}

bool HasRingBuffer() {
  return TryMap(BPF_MAP_TYPE_RINGBUF, 0, 0, static_cast<uint32_t>(sysconf(_SC_PAGESIZE)), 0).valid();
}

bool HasTcx() {
  std::vector<uint32_t> ids;
  return QueryTcx(kLoopback, true, &ids) == 0;
}

/** bpf_redirect_peer(1, 0); the verifier refuses helpers that it does not know. */
bool HasRedirectPeer() {
  const bpf_insn program[] = {
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 1},
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, 0},
      {BPF_JMP | BPF_CALL, 0, 0, 0, kRedirectPeerHelper},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  const size_t length = sizeof(program) / sizeof(program[0]);
  return UniqueFd(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "tt_probe", "GPL", program, length, nullptr)).valid();
}

Napi::Value JsProbeFeatures(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const LogCapture unheard;
  const UniqueFd array = TryMap(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);
  if (!array.valid() && (errno == EPERM || errno == EACCES)) ThrowErrno(env, errno, "probe", "kernel features");
  utsname name = {};
  uname(&name);
  Napi::Object result = Napi::Object::New(env);
  result.Set("release", Napi::String::New(env, name.release));
  result.Set("possibleCpus", Napi::Number::New(env, libbpf_num_possible_cpus()));
  result.Set("tcx", HasTcx());
  result.Set("bpfSyscall", array.valid());
  result.Set("btf", access("/sys/kernel/btf/vmlinux", R_OK) == 0);
  result.Set("mmapableArrays", TryMap(BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_MMAPABLE).valid());
  result.Set("largeValues", TryMap(BPF_MAP_TYPE_ARRAY, 4, kLargeValue, 1, 0).valid());
  result.Set("ringBuffer", HasRingBuffer());
  result.Set("redirectPeer", HasRedirectPeer());
  result.Set("netfilterPrograms", HasNetfilterPrograms());
  return result;
}

/** An array of maps with one entry. Writing it waits for an RCU grace period, which every running program ends in. */
class GracePeriod {
 public:
  /** Returns 0 or a negative errno. */
  int Wait() {
    std::lock_guard lock(mutex_);
    if (const int error = Open()) return error;
    const uint32_t key = 0;
    const int inner = inner_.get();
    return bpf_map_update_elem(outer_.get(), &key, &inner, BPF_ANY) < 0 ? -errno : 0;
  }

 private:
  int Open() {
    if (outer_.valid()) return 0;
    inner_ = TryMap(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);
    if (!inner_.valid()) return -errno;
    LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = static_cast<uint32_t>(inner_.get()));
    outer_ = UniqueFd(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "tt_grace", 4, 4, 1, &options));
    return outer_.valid() ? 0 : -errno;
  }

  std::mutex mutex_;
  UniqueFd inner_;
  UniqueFd outer_;
};

class GracePeriodWorker : public Napi::AsyncWorker {
 public:
  explicit GracePeriodWorker(Napi::Env env) : AsyncWorker(env, "waitForPrograms"), deferred_(env) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    static GracePeriod period;
    error_ = period.Wait();
  }

  void OnOK() override {
    if (error_ == 0) {
      deferred_.Resolve(Env().Undefined());
    } else {
      deferred_.Reject(MakeErrno(Env(), error_, "wait for", "running programs").Value());
    }
  }

 private:
  Napi::Promise::Deferred deferred_;
  int error_ = 0;
};

Napi::Value JsWaitForPrograms(const Napi::CallbackInfo& info) {
  auto* const worker = new GracePeriodWorker(info.Env());
  const Napi::Promise promise = worker->promise();
  worker->Queue();
  return promise;
}

}  // namespace

void InitFeatures(Napi::Env env, Napi::Object exports) {
  exports.Set("probeFeatures", Napi::Function::New<JsProbeFeatures>(env, "probeFeatures"));
  exports.Set("waitForPrograms", Napi::Function::New<JsWaitForPrograms>(env, "waitForPrograms"));
}

}  // namespace tortie
