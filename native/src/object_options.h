// Applies ObjectOptions to an opened, not yet loaded object.
#pragma once

#include <bpf/libbpf.h>
#include <napi.h>

#include <string>

namespace tortie {

/**
 * Sets map sizes, pin paths, .rodata values and the verifier's log level. Every pinned map is compared with what the
 * object wants before anything is changed: differences throw an Error with code ABI_MISMATCH and `differences`.
 */
void ApplyOptions(Napi::Env env, bpf_object* object, const std::string& path, const Napi::Object& options);

}  // namespace tortie
