// See net_thread.h.
#include "net_thread.h"

#include <sched.h>

#include <cerrno>
#include <cstdlib>
#include <thread>
#include <utility>

#include "util/args.h"
#include "util/errors.h"

namespace tortie {
namespace {

constexpr char kOwnNamespace[] = "/proc/thread-self/ns/net";

/** Back to where the thread was, however the scope is left. */
class NamespaceVisit {
 public:
  explicit NamespaceVisit(UniqueFd home) : home_(std::move(home)) {}
  ~NamespaceVisit() {
    // Everything this process does later would happen in the wrong namespace.
    if (setns(home_.get(), CLONE_NEWNET) < 0) abort();
  }
  NamespaceVisit(const NamespaceVisit&) = delete;
  NamespaceVisit& operator=(const NamespaceVisit&) = delete;

 private:
  const UniqueFd home_;
};

Napi::Value JsInNamespace(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = ToText(info[0], "path");
  const Napi::Function call = ToFunction(info[1], "call");
  const UniqueFd there = OpenNamespace(env, path);
  UniqueFd home = OpenNamespace(env, kOwnNamespace);
  if (setns(there.get(), CLONE_NEWNET) < 0) ThrowErrno(env, errno, "enter namespace", path);
  const NamespaceVisit visit(std::move(home));
  return call.Call({});
}

}  // namespace

UniqueFd OpenNamespace(Napi::Env env, const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) ThrowErrno(env, errno, "open namespace", path);
  return fd;
}

bool EnterPlace(const NetPlace& place, ThreadFailure* failure) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(place.cpu, &cpus);
  if (setns(place.net_namespace.get(), CLONE_NEWNET) < 0) failure->Note(errno, "enter namespace for");
  if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0) {
    failure->Note(errno, "bind to CPU " + std::to_string(place.cpu) + " for");
  }
  return !failure->happened();
}

void GoFirst() {
  sched_param parameters = {};
  parameters.sched_priority = sched_get_priority_min(SCHED_FIFO);
  // Where that is not allowed, others on this CPU only make readings noisier.
  sched_setscheduler(0, SCHED_FIFO, &parameters);
}

ThreadedCall::ThreadedCall(Napi::Env env, const char* name, const std::string& target, Work work, Result result)
    : AsyncWorker(env, name), target_(target), work_(std::move(work)), result_(std::move(result)), deferred_(env) {}

Napi::Promise ThreadedCall::Start(Napi::Env env, const char* name, const std::string& target, Work work,
                                  Result result) {
  auto* const call = new ThreadedCall(env, name, target, std::move(work), std::move(result));
  const Napi::Promise promise = call->deferred_.Promise();
  call->Queue();
  return promise;
}

/** A thread of its own: one of libuv's pool would stay in the namespace, and run other work there. */
void ThreadedCall::Execute() {
  std::thread([this] { work_(&failure_); }).join();
}

void ThreadedCall::OnOK() {
  const Napi::Env env = Env();
  const Napi::HandleScope scope(env);
  if (failure_.happened()) {
    deferred_.Reject(MakeErrno(env, failure_.error, failure_.operation, target_).Value());
  } else {
    deferred_.Resolve(result_(env));
  }
}

void InitNetThread(Napi::Env env, Napi::Object exports) {
  exports.Set("inNamespace", Napi::Function::New<JsInNamespace>(env, "inNamespace"));
}

}  // namespace tortie
