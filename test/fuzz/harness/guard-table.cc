// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "guard-table.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <linux/bpf.h>

#include "word-file.h"

namespace fuzz {

namespace {

constexpr uint32_t kMagic = 0x47465454, kVersion = 1;
constexpr uint32_t kRootBlocks = uint32_t(TT_GUARD_ROOT_WORDS) / TT_HEAP_BLOCK_WORDS;

ClassedPrefix read_prefix(WordFile &reader)
{
	ClassedPrefix prefix;

	prefix.address.family = reader.word();
	prefix.bits = reader.word();
	prefix.class_id = reader.word();
	reader.copy_address(prefix.address.bytes.data(), prefix.address.family == 4 ? 1 : 4);
	return prefix;
}

GuardTable read_table(WordFile &reader)
{
	const uint32_t first = reader.word() / TT_HEAP_BLOCK_WORDS, end = first + reader.word() / TT_HEAP_BLOCK_WORDS;
	GuardTable table;

	table.root = { reader.word(), reader.word() };
	for (uint32_t left = reader.word(); left; left--)
		table.prefixes.push_back(read_prefix(reader));
	const auto is_of = [](uint32_t block, uint32_t root) { return block - root / TT_HEAP_BLOCK_WORDS < kRootBlocks; };
	for (uint32_t block = first; block < end; block++)
		if (!is_of(block, table.root.v4) && !is_of(block, table.root.v6))
			table.node_blocks.push_back(block);
	return table;
}

} // namespace

bool ClassedPrefix::contains(const Source &source) const
{
	if (source.family != address.family)
		return false;
	for (uint32_t bit = 0; bit < bits; bit++)
		if ((address.bytes[bit / 8] ^ source.bytes[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

uint32_t GuardTable::class_of(const Source &source) const
{
	const ClassedPrefix *best = nullptr;

	for (const ClassedPrefix &prefix : prefixes)
		if ((!best || prefix.bits >= best->bits) && prefix.contains(source))
			best = &prefix;
	return best ? best->class_id : 0;
}

GuardTables::GuardTables(const std::string &file)
{
	WordFile reader(file);
	fuzz_map *ignored;

	if (reader.word() != kMagic || reader.word() != kVersion)
		throw std::runtime_error(file + ": holds no prefix tables for this harness");
	words = reader.words(reader.word());
	for (GuardTable &known : table)
		known = read_table(reader);
	blocks_ = fuzz_map_define(&ignored, "tt_guard_heap", BPF_MAP_TYPE_ARRAY, blocks(), 4, sizeof(tt_heap_block));
	flat_ = fuzz_map_define(&ignored, "tt_guard_heap", BPF_MAP_TYPE_ARRAY, 1, 4, words.size() * 4);
	for (uint32_t block = 0; block < blocks(); block++)
		memcpy(fuzz_map_at(blocks_, 0, block), &words[block * TT_HEAP_BLOCK_WORDS], sizeof(tt_heap_block));
	memcpy(fuzz_map_at(flat_, 0, 0), words.data(), words.size() * 4);
}

void GuardTables::install(bool is_flat, uint32_t from, uint32_t count) const
{
	blocks_->hole_from = from;
	blocks_->hole_count = count;
	fuzz_stages_use_guard(is_flat ? flat_ : blocks_, is_flat, (blocks() - count) * TT_HEAP_BLOCK_WORDS);
}

void GuardTables::set_word(uint32_t offset, uint32_t value) const
{
	auto *block = static_cast<tt_heap_block *>(fuzz_map_at(blocks_, 0, offset / TT_HEAP_BLOCK_WORDS));

	block->word[offset % TT_HEAP_BLOCK_WORDS] = value;
	static_cast<uint32_t *>(fuzz_map_at(flat_, 0, 0))[offset] = value;
}

} // namespace fuzz
