// Packets as fast as a path takes them, and the time until a counting program saw the last one. No policy, no packet
// formats.
#pragma once

#include <napi.h>

namespace tortie {

/** Adds sendLive and sendPackets to the addon's exports. */
void InitSender(Napi::Env env, Napi::Object exports);

}  // namespace tortie
