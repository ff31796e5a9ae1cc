// Filters on the clsact qdisc, for kernels without TCX.
#pragma once

#include <napi.h>

namespace tortie {

/** clsactFilters of the addon. */
Napi::Value JsClsactFilters(const Napi::CallbackInfo& info);

/** Adds clsactAttach, clsactQuery, clsactDetach and clsactFilters to the addon's exports. */
void InitClsact(Napi::Env env, Napi::Object exports);

}  // namespace tortie
