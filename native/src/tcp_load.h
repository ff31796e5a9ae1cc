// TCP between two network namespaces over real sockets, both ends on one CPU. What the figures are for is not known
// here.
#pragma once

#include <napi.h>

namespace tortie {

/** Adds tcpLoad to the addon's exports. */
void InitTcpLoad(Napi::Env env, Napi::Object exports);

}  // namespace tortie
