// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
// Memory that nobody may touch, where a sanitizer watches. The harness is compiled without one in either case: only
// whoever compiles it knows whether the programs are watched.
#ifndef TT_FUZZ_POISON_H
#define TT_FUZZ_POISON_H

#include <cstddef>

#ifdef FUZZ_SANITIZED
#include <sanitizer/asan_interface.h>
#endif

namespace fuzz {

inline void poison([[maybe_unused]] void *start, [[maybe_unused]] size_t size)
{
#ifdef FUZZ_SANITIZED
	__asan_poison_memory_region(start, size);
#endif
}

inline bool is_poisoned([[maybe_unused]] const void *start, [[maybe_unused]] size_t size)
{
#ifdef FUZZ_SANITIZED
	return __asan_region_is_poisoned(const_cast<void *>(start), size);
#else
	return false;
#endif
}

} // namespace fuzz

#endif
