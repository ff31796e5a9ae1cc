// XDP programs on interfaces: links, and what is attached. Which mode is tried first is TypeScript's business.
#pragma once

#include <napi.h>

namespace tortie {

/** Adds xdpAttach and xdpQuery to the addon's exports. */
void InitXdp(Napi::Env env, Napi::Object exports);

}  // namespace tortie
