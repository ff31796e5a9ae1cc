// See section_handlers.h.
#include "section_handlers.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "netfilter.h"
#include "util/errors.h"

namespace tortie {
namespace {

struct FreeTypes {
  void operator()(btf* types) const { btf__free(types); }
};

/** Whether the kernel was told of functions that are verified by themselves; or a negative errno. */
int HasGlobalFunctions(int btf_fd) {
  bpf_btf_info info = {};
  __u32 length = sizeof(info);
  if (bpf_obj_get_info_by_fd(btf_fd, &info, &length) != 0) return -errno;
  std::vector<__u8> bytes(info.btf_size);
  info = {};
  info.btf = reinterpret_cast<__u64>(bytes.data());
  info.btf_size = static_cast<__u32>(bytes.size());
  length = sizeof(info);
  if (bpf_obj_get_info_by_fd(btf_fd, &info, &length) != 0) return -errno;
  const std::unique_ptr<btf, FreeTypes> types(btf__new(bytes.data(), static_cast<__u32>(bytes.size())));
  if (!types) return -errno;
  for (__u32 id = 1; id < btf__type_cnt(types.get()); id++) {
    const btf_type* type = btf__type_by_id(types.get(), id);
    if (btf_is_func(type) && btf_vlen(type) == BTF_FUNC_GLOBAL) return 1;
  }
  return 0;
}

/**
 * libbpf goes on without types when the kernel has no room for them, and without a part of them that the kernel seems not to
 * take: it asks once for each part, and any failure is a no. The verifier then knows no function by itself and follows every
 * call into every one: half a minute of a processor before it gives up. Every program is a global function itself.
 */
int RequireTypes(bpf_program*, bpf_prog_load_opts* options, long) {
  if (options->prog_btf_fd == 0) return -ENODATA;
  const int found = HasGlobalFunctions(static_cast<int>(options->prog_btf_fd));
  return found == 0 ? -ENODATA : std::min(found, 0);
}

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
