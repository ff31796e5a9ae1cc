// Datagrams to a unix socket by its path: how a service tells systemd of itself, and what Node has no way for.
#pragma once

#include <napi.h>

namespace tortie {

/** Adds sendDatagram to the addon's exports. */
void InitDatagram(Napi::Env env, Napi::Object exports);

}  // namespace tortie
