// See section_handlers.h.
#include "section_handlers.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>

#include "netfilter.h"
#include "util/errors.h"

namespace tortie {
namespace {

/**
 * libbpf goes on without types when the kernel has no room for them or seems not to take any. The verifier then knows no
 * function by itself and follows every call into every one: half a minute of a processor before it gives up.
 */
int RequireTypes(bpf_program*, bpf_prog_load_opts* options, long) { return options->prog_btf_fd > 0 ? 0 : -ENODATA; }

/** 0 or a negative errno. */
int Install() {
  LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = RequireTypes);
  const int tc = libbpf_register_prog_handler("tc", BPF_PROG_TYPE_SCHED_CLS, {}, &options);
  if (tc < 0) return tc;
  const auto type = static_cast<bpf_prog_type>(kProgramTypeNetfilter);
  const auto attach_type = static_cast<bpf_attach_type>(kAttachTypeNetfilter);
  const int netfilter = libbpf_register_prog_handler("netfilter", type, attach_type, &options);
  return netfilter < 0 ? netfilter : 0;
}

}  // namespace

void InstallSectionHandlers(Napi::Env env) {
  static const int error = Install();
  if (error != 0) ThrowErrno(env, error, "install", "section handlers");
}

}  // namespace tortie
