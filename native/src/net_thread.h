// Threads that live in another network namespace than the process, on one CPU. What they do there is their caller's
// business.
#pragma once

#include <napi.h>

#include <functional>
#include <string>
#include <vector>

#include "util/fd.h"

namespace tortie {

/** Where a thread is to run. */
struct NetPlace {
  UniqueFd net_namespace;
  uint32_t cpu = 0;
};

/** The first thing that went wrong on a thread. */
struct ThreadFailure {
  int error = 0;
  std::string operation;

  bool happened() const { return error != 0; }
  void Note(int failed, const std::string& what) {
    if (error == 0) *this = {failed, what};
  }
};

/** Opens a network namespace by its path. Throws. */
UniqueFd OpenNamespace(Napi::Env env, const std::string& path);

/** Moves the calling thread; it must not be one that others use. */
bool EnterPlace(const NetPlace& place, ThreadFailure* failure);

/** Puts the calling thread ahead of everything ordinary on its CPU, kernel threads too: to let those work it must sleep. */
void GoFirst();

/** Resolves with what `result` makes once `work`, on a thread of its own, is done; rejects with the failure it noted. */
class ThreadedCall : public Napi::AsyncWorker {
 public:
  using Work = std::function<void(ThreadFailure*)>;
  using Result = std::function<Napi::Value(Napi::Env)>;

  /** The worker deletes itself. */
  static Napi::Promise Start(Napi::Env env, const char* name, const std::string& target, Work work, Result result);

 private:
  ThreadedCall(Napi::Env env, const char* name, const std::string& target, Work work, Result result);
  void Execute() override;
  void OnOK() override;

  const std::string target_;
  const Work work_;
  const Result result_;
  ThreadFailure failure_;
  Napi::Promise::Deferred deferred_;
};

/** Adds inNamespace to the addon's exports. */
void InitNetThread(Napi::Env env, Napi::Object exports);

}  // namespace tortie
