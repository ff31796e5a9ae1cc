// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Pulls every crossing struct and enum into BTF for tools/gen-abi.ts. This object is never loaded. */
#include <linux/types.h>

#include "common.h"
#include "endpoint.h"
#include "event.h"
#include "flow.h"
#include "guard.h"
#include "heap.h"
#include "host.h"
#include "takeover.h"

#define EXPORT(kind, name) kind name *export_##name

EXPORT(enum, tt_layout);
EXPORT(struct, tt_address);
EXPORT(enum, tt_heap_dims);
EXPORT(struct, tt_heap_block);
EXPORT(enum, tt_entry_bits);
EXPORT(struct, tt_v6_node);
EXPORT(enum, tt_l4_base);
EXPORT(enum, tt_base_bits);
EXPORT(enum, tt_word_bits);
EXPORT(struct, tt_root);
EXPORT(struct, tt_state);
EXPORT(enum, tt_state_flags);
EXPORT(enum, tt_endpoint_dims);
EXPORT(enum, tt_endpoint_flags);
EXPORT(struct, tt_endpoint);
EXPORT(struct, tt_source_key);
EXPORT(struct, tt_local);
EXPORT(struct, tt_flow_key);
EXPORT(enum, tt_flow_kind);
EXPORT(enum, tt_flow_state);
EXPORT(enum, tt_flow_flags);
EXPORT(struct, tt_flow);
EXPORT(enum, tt_flow_dims);
EXPORT(struct, tt_flow_entry);
EXPORT(struct, tt_flow_bucket);
EXPORT(struct, tt_fragment_key);
EXPORT(struct, tt_fragment);
EXPORT(struct, tt_cached_flow);
EXPORT(enum, tt_hook);
EXPORT(enum, tt_event_kind);
EXPORT(enum, tt_reason);
EXPORT(enum, tt_counter_dims);
EXPORT(struct, tt_counter);
EXPORT(struct, tt_clock_reading);
EXPORT(struct, tt_event);
EXPORT(enum, tt_guard_dims);
EXPORT(enum, tt_guard_entry);
EXPORT(struct, tt_guard_match);
EXPORT(enum, tt_guard_class);
EXPORT(enum, tt_guard_reason);
EXPORT(enum, tt_guard_flags);
EXPORT(enum, tt_guard_room);
EXPORT(struct, tt_guard_interface);
EXPORT(struct, tt_guard_root);
EXPORT(struct, tt_guard_state);
EXPORT(enum, tt_host_dims);
EXPORT(enum, tt_scope);
EXPORT(enum, tt_host_flags);
EXPORT(struct, tt_host_lists);
EXPORT(struct, tt_host_interface);
EXPORT(struct, tt_host_test);
EXPORT(enum, tt_side_program);
EXPORT(struct, tt_switch);
