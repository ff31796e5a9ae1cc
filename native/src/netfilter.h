// Programs at netfilter's hooks: links, and whether the kernel has them. Which hooks and in which order is TypeScript's
// business.
#pragma once

#include <napi.h>

namespace tortie {

/* By number: libbpf before 1.3, and headers older than 6.4, know no netfilter programs. */
constexpr uint32_t kProgramTypeNetfilter = 32;
constexpr uint32_t kAttachTypeNetfilter = 45;

/** Whether the kernel loads netfilter programs (6.4, CONFIG_NETFILTER_BPF_LINK). */
bool HasNetfilterPrograms();

/** Adds netfilterAttach and netfilterQuery to the addon's exports. */
void InitNetfilter(Napi::Env env, Napi::Object exports);

}  // namespace tortie
