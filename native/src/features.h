// What the running kernel can do, found by trying, and the wait for programs that are still running.
#pragma once

#include <napi.h>

namespace tortie {

/** Adds probeFeatures and waitForPrograms to the addon's exports. */
void InitFeatures(Napi::Env env, Napi::Object exports);

}  // namespace tortie
