// TCP connections of this network namespace, as the kernel's sock_diag tells them.
#pragma once

#include <napi.h>

namespace tortie {

/** Adds tcpPeers to the addon's exports. */
void InitInetDiag(Napi::Env env, Napi::Object exports);

}  // namespace tortie
