// What libbpf does with programs of our sections before it loads them.
#pragma once

#include <napi.h>

namespace tortie {

/**
 * Has programs without types refused at once, and lets any libbpf know the section `netfilter`. Process-wide. Throws an
 * Error with libbpf's errno.
 */
void InstallSectionHandlers(Napi::Env env);

}  // namespace tortie
