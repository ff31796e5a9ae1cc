// A thread that reads a kernel source and hands what it finds to JavaScript, losing nothing on the way.
#pragma once

#include <node_api.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "errors.h"
#include "fd.h"

namespace tortie {

/**
 * The queue is bounded: a slow JavaScript side makes the thread wait, and the loss, if any, happens in the kernel,
 * which counts it. The thread-safe function carries no data, it only wakes the event loop; so Stop() can still
 * deliver what was read. It keeps the event loop alive until Stop().
 */
template <typename Item>
class Reader {
 public:
  /** Runs on the thread whenever `source_fd` is readable, or `period_ms` have passed. Returns false to end. */
  using OnReadable = std::function<bool(Reader&)>;
  /** Runs on the JavaScript thread; may throw. */
  using Deliver = std::function<void(Napi::Env, Item&)>;

  /** `source_fd` -1 = nothing to wait for but the time; `period_ms` -1 = no time. */
  Reader(Napi::Env env, const char* name, int source_fd, int period_ms, OnReadable on_readable, Deliver deliver)
      : env_(env), source_fd_(source_fd), period_ms_(period_ms), on_readable_(std::move(on_readable)), deliver_(std::move(deliver)) {
    stop_fd_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!stop_fd_.valid()) ThrowErrno(env, errno, "create eventfd for", name);
    const napi_status status = napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, name), 0, 1,
                                                               nullptr, nullptr, this, OnWake, &wake_);
    if (status != napi_ok) throw Napi::Error::New(env);
    // Registered after the thread-safe function's own hook, so it runs before: the thread never meets a freed one.
    napi_add_env_cleanup_hook(env, OnEnvironmentEnd, this);
    thread_ = std::thread([this] { Run(); });
  }

  ~Reader() { Halt(); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /** From the thread: queues an item, waiting for room. Returns false, with the item queued, when the end has come. */
  bool Put(Item item) {
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [this] { return queue_.size() < kRoom || stopping_; });
      queue_.push_back(std::move(item));
    }
    if (!wake_pending_.exchange(true)) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
    return !stopping_;
  }

  /** From the thread: how long it waits from now on. */
  void SetPeriod(int period_ms) { period_ms_ = period_ms; }

  /** On the JavaScript thread: ends the thread, then delivers what it had read. */
  void Stop() {
    Halt();
    DeliverQueued();
  }

 private:
  static constexpr size_t kRoom = 64;

  void Run() {
    pollfd sources[2] = {{source_fd_, POLLIN, 0}, {stop_fd_.get(), POLLIN, 0}};
    while (!stopping_) {
      const int ready = poll(sources, 2, period_ms_);
      if (ready < 0) {
        if (errno == EINTR) continue;
        return;
      }
      if (sources[1].revents != 0) return;
      if ((ready == 0 || sources[0].revents != 0) && !on_readable_(*this)) return;
    }
  }

  void Halt() {
    if (!thread_.joinable()) return;
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    eventfd_write(stop_fd_.get(), 1);
    thread_.join();
    napi_release_threadsafe_function(wake_, napi_tsfn_abort);
    napi_remove_env_cleanup_hook(env_, OnEnvironmentEnd, this);
  }

  void DeliverQueued() {
    wake_pending_ = false;
    for (;;) {
      std::unique_lock lock(mutex_);
      if (queue_.empty()) return;
      Item item = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      room_.notify_one();
      DeliverOne(item);
    }
  }

  /** An exception becomes an uncaught one, as from an event listener, and the rest is still delivered. */
  void DeliverOne(Item& item) {
    const Napi::Env env(env_);
    const Napi::HandleScope scope(env);
    try {
      deliver_(env, item);
    } catch (const Napi::Error& error) {
      napi_fatal_exception(env, error.Value());
    }
  }

  /** Called without an environment when the thread-safe function is torn down: then `context` may be gone too. */
  static void OnWake(napi_env env, napi_value, void* context, void*) {
    if (env != nullptr) static_cast<Reader*>(context)->DeliverQueued();
  }

  static void OnEnvironmentEnd(void* context) { static_cast<Reader*>(context)->Halt(); }

  const napi_env env_;
  const int source_fd_;
  int period_ms_;
  const OnReadable on_readable_;
  const Deliver deliver_;
  UniqueFd stop_fd_;
  napi_threadsafe_function wake_ = nullptr;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::deque<Item> queue_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> wake_pending_{false};
};

}  // namespace tortie
