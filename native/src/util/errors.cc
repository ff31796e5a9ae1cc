// See errors.h.
#include "errors.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tortie {
namespace {

/** Kernel-internal: bpf map and program operations that a type does not have leak it to user space. */
constexpr int kKernelNotSupported = 524;

/** Verifier logs of programs that load come at debug level, amid relocation chatter that nobody asked for. */
constexpr char kProgramLogMark[] = "-- BEGIN PROG LOAD LOG --";

thread_local LogCapture* innermost = nullptr;

std::string Describe(int error) {
  if (error == kKernelNotSupported) return "operation not supported by this kind of object";
  char buffer[128];
  return strerror_r(error, buffer, sizeof(buffer));
}

int OnMessage(libbpf_print_level level, const char* format, va_list arguments) {
  if (innermost == nullptr) return 0;
  char* text = nullptr;
  const int length = vasprintf(&text, format, arguments);
  if (length < 0) return 0;
  std::string message(text, static_cast<size_t>(length));
  free(text);
  if (level != LIBBPF_DEBUG || message.find(kProgramLogMark) != std::string::npos) innermost->Append(message);
  return length;
}

}  // namespace

std::string ErrnoName(int error) {
  if (error == kKernelNotSupported) return "ENOTSUPP";
  const char* name = strerrorname_np(error);
  return name != nullptr ? name : "E" + std::to_string(error);
}

Napi::Error MakeErrno(Napi::Env env, int error, const std::string& operation, const std::string& target,
                      const std::string& log) {
  const int positive = std::abs(error);
  const std::string code = ErrnoName(positive);
  Napi::Error made = Napi::Error::New(env, operation + " " + target + ": " + code + ": " + Describe(positive));
  made.Set("errno", Napi::Number::New(env, positive));
  made.Set("code", Napi::String::New(env, code));
  made.Set("operation", Napi::String::New(env, operation));
  made.Set("target", Napi::String::New(env, target));
  if (!log.empty()) made.Set("log", Napi::String::New(env, log));
  return made;
}

void ThrowErrno(Napi::Env env, int error, const std::string& operation, const std::string& target,
                const std::string& log) {
  throw MakeErrno(env, error, operation, target, log);
}

LogCapture::LogCapture() : outer_(innermost) { innermost = this; }

LogCapture::~LogCapture() { innermost = outer_; }

void InstallLogCapture() { libbpf_set_print(OnMessage); }

}  // namespace tortie
