/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * A big array of 32-bit words, in one of two shapes: in blocks, each a map value, as every kernel has it, or flat, all
 * in one value. Flat, a word is a bounds check and a sum away. A block's number goes through the stack to be looked
 * up, and a chain of reads, each of which says where the next is, waits for that every time.
 */
#ifndef TT_LIB_WORDS_H
#define TT_LIB_WORDS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stddef.h>

#include "abi/heap.h"

/* The shape. User space chooses flat where the kernel has values that big (over 4 MiB). */
const volatile __u32 tt_is_flat = 0;

/*
 * Such an array for the length of a function. Code that reads much is compiled once for each shape, is_flat being a
 * constant in both; the kernel drops the one that is never come to.
 */
struct tt_words {
	void *map;
	const __u32 *only; /* flat: all words */
	__u64 count;
	bool is_flat;
};

static __always_inline struct tt_words tt_words_in_blocks(void *map)
{
	return (struct tt_words){ .map = map };
}

/* Of no use if only is NULL. */
static __always_inline struct tt_words tt_words_flat(void *map, __u32 count)
{
	const __u32 zero = 0;

	return (struct tt_words){
		.only = bpf_map_lookup_elem(map, &zero),
		.count = count,
		.is_flat = true,
	};
}

/*
 * Whether at is below end. A compiler may swap the sides of a comparison and do it on 32 bits; the verifier of kernels
 * before 6.8 learns nothing from one with its constant on the left. This one stays as it is written.
 */
static __always_inline bool tt_words_below(__u64 at, __u64 end)
{
	asm volatile goto("if %0 >= %1 goto %l[outside]" : : "r"(at), "r"(end) : : outside);
	return true;
outside:
	return false;
}

/* size words that are all in one block, or NULL. */
static __always_inline const __u32 *tt_words_at(const struct tt_words *words, __u32 offset, const __u32 size)
{
	const __u32 number = offset >> TT_HEAP_BLOCK_SHIFT;
	const __u32 index = offset & (TT_HEAP_BLOCK_WORDS - 1);
	const struct tt_heap_block *block;
	__u64 at = offset;

	if (words->is_flat) {
		if (!tt_words_below(at, words->count - (size - 1)))
			return NULL;
		/* Not before the check: the verifier must know the bounds of what is added. */
		asm volatile("" : "+r"(at));
		return words->only + at;
	}
	block = bpf_map_lookup_elem(words->map, &number);
	return block && index <= TT_HEAP_BLOCK_WORDS - size ? &block->word[index] : NULL;
}

/* The word at an offset, or missing. */
static __always_inline __u32 tt_words_read(const struct tt_words *words, __u32 offset, const __u32 missing)
{
	__u64 at = offset;
	const __u32 *word;

	if (words->is_flat) {
		if (!tt_words_below(at, words->count))
			return missing;
		asm volatile("" : "+r"(at));
		return *(const volatile __u32 *)(words->only + at);
	}
	word = tt_words_at(words, offset, 1);
	return word ? *(const volatile __u32 *)word : missing;
}

#endif
