/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Found before libbpf's own: the helpers as functions of a pretend kernel (kernel.cc), maps as plain objects. */
#ifndef TT_SHIM_BPF_HELPERS_H
#define TT_SHIM_BPF_HELPERS_H

#include <linux/bpf.h>
#include <linux/types.h>

#define SEC(name)
#define __uint(name, value) int(*name)[value]
#define __type(name, value) __typeof__(value) *name

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif

void *bpf_map_lookup_elem(void *map, const void *key);
long bpf_map_update_elem(void *map, const void *key, const void *value, __u64 flags);
__u64 bpf_jiffies64(void);
__u64 bpf_ktime_get_ns(void);
__u32 bpf_get_smp_processor_id(void);
long bpf_skb_load_bytes(const void *skb, __u32 offset, void *to, __u32 size);
void *bpf_ringbuf_reserve(void *ring, __u64 size, __u64 flags);
void bpf_ringbuf_submit(void *record, __u64 flags);
long bpf_ringbuf_output(void *ring, void *data, __u64 size, __u64 flags);
long bpf_spin_lock(struct bpf_spin_lock *lock);
long bpf_spin_unlock(struct bpf_spin_lock *lock);
long bpf_redirect_peer(__u32 ifindex, __u64 flags);
long bpf_clone_redirect(void *skb, __u32 ifindex, __u64 flags);
long bpf_skb_change_tail(void *skb, __u32 length, __u64 flags);
long bpf_l4_csum_replace(void *skb, __u32 offset, __u64 from, __u64 to, __u64 flags);
long bpf_fib_lookup(void *context, struct bpf_fib_lookup *query, int size, __u32 flags);

#endif
