/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Where programs of two layouts meet while one takes over from the other. Agents of every version read this: it has no
 * version of its own, and never changes.
 */
#ifndef TT_ABI_TAKEOVER_H
#define TT_ABI_TAKEOVER_H

/* Keys of tt_sides: side * TT_SIDE_ROOM + enum tt_side_program. New ones come last. */
enum tt_side_program {
	TT_SIDE_FROM_WORKLOAD = 0,
	TT_SIDE_TO_WORKLOAD = 1,
	TT_SIDE_ROOM = 8, /* programs that a side may ever have */
};

/* Two sides: the programs in force with their tables, and those that are to take over, or none. */
struct tt_switch {
	__u32 active;	   /* which side is in force: 0 or 1. The one word that a takeover comes down to. */
	__u32 version[2];  /* layout of each side's tables; 0 = the side is empty */
	__u32 number[2];   /* of the takeover that each side came by: slots of the flow cache bear it */
	__u32 takeovers;   /* numbers given out */
	__u32 generation;  /* of policy: the highest given out, whichever side it was for */
	__u8 _pad[4];
	__u64 flow_seed;   /* of the flow table that both sides use; 0 = not drawn yet */
	__u32 reserved[6]; /* zero */
};

#endif
