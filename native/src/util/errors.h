// The one way an error leaves the addon, and the capture of libbpf's messages that explains it.
#pragma once

#include <napi.h>

#include <string>

namespace tortie {

/** Symbolic name of a positive errno, e.g. "EPERM"; also of those only the kernel knows (524 = "ENOTSUPP"). */
std::string ErrnoName(int error);

/** An Error with errno, code, operation, target and, if not empty, log. `error` may have either sign. */
Napi::Error MakeErrno(Napi::Env env, int error, const std::string& operation, const std::string& target,
                      const std::string& log = "");

[[noreturn]] void ThrowErrno(Napi::Env env, int error, const std::string& operation, const std::string& target,
                             const std::string& log = "");

/** Collects what libbpf says on this thread while it lives. Captures nest: the innermost one hears. */
class LogCapture {
 public:
  LogCapture();
  ~LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  const std::string& text() const { return text_; }
  void Append(const std::string& message) { text_ += message; }

 private:
  std::string text_;
  LogCapture* const outer_;
};

/** Routes libbpf's messages to the LogCapture of the thread they arise on; without one they vanish. Process-wide. */
void InstallLogCapture();

}  // namespace tortie
