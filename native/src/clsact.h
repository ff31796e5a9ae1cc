// Filters on the clsact qdisc, for kernels without TCX.
#pragma once

#include <napi.h>

namespace tortie {

/** Adds clsactAttach, clsactQuery and clsactDetach to the addon's exports. */
void InitClsact(Napi::Env env, Napi::Object exports);

}  // namespace tortie
