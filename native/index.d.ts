// The whole typed surface of the addon. One libbpf or kernel call per method, no policy, no defaults.
// Every method throws an Error with `errno` (positive), `code` (e.g. "EPERM"), `operation`, `target` and, for loads,
// `log` (libbpf's messages and the verifier's log). Nothing is printed.

/** What bpf_map__set_* may change before load; maps not named keep the object's own values. */
export interface MapOptions {
  readonly maxEntries?: number;
  readonly valueSize?: number;
  /** Reuse the map pinned here if it exists, else pin the new one here after load. */
  readonly pinPath?: string;
}

export interface ObjectOptions {
  readonly maps?: Readonly<Record<string, MapOptions>>;
  /** Bytes to write over a variable in .rodata, by C name. */
  readonly rodata?: Readonly<Record<string, Uint8Array>>;
  /** Verifier log level: 0 none (a failing load is tried again with 1), 1 normal, 2 with statistics per state, 4 statistics only. */
  readonly logLevel?: number;
}

/** `load` programs and maps of one ELF object. Closing it closes every Map and Program taken from it, pins stay. */
export declare class BpfObject {
  static open(path: string, options: ObjectOptions): BpfObject;
  readonly maps: readonly string[];
  readonly programs: readonly string[];
  map(name: string): BpfMap;
  program(name: string): BpfProgram;
  /** libbpf's messages during load. */
  readonly log: string;
  close(): void;
}

export interface MapInfo {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

export declare class BpfMap {
  static openPinned(path: string): BpfMap;
  readonly info: MapInfo;
  /** Whole value (per-CPU maps: every CPU's value, each rounded up to 8 bytes); undefined when absent. */
  lookup(key: Uint8Array): Uint8Array | undefined;
  /** flags: 0 any, 1 create only, 2 replace only. */
  update(key: Uint8Array, value: Uint8Array, flags: number): void;
  updateBatch(keys: Uint8Array, values: Uint8Array, count: number): void;
  /** Of an array of programs, which keeps its program for as long as it is pinned or open somewhere. */
  setProgram(index: number, program: BpfProgram): void;
  /** false when it was absent. */
  delete(key: Uint8Array): boolean;
  /** All keys at this moment, concatenated (BPF_MAP_GET_NEXT_KEY). */
  keys(): Uint8Array;
  /** Keys and values, concatenated in the same order; batch calls where the kernel has them. */
  entries(): { readonly keys: Uint8Array; readonly values: Uint8Array; readonly count: number };
  /** The memory of a BPF_F_MMAPABLE array, shared with the kernel; detached (length 0) by close(). */
  mmap(): ArrayBuffer;
  pin(path: string): void;
  close(): void;
}

export interface ProgramInfo {
  readonly id: number;
  /** As the kernel keeps it: 15 characters. */
  readonly name: string;
  readonly type: number;
  /** 16 hex digits: hash of the instructions. */
  readonly tag: string;
  readonly translatedBytes: number;
  readonly jitedBytes: number;
  readonly verifiedInstructions: number;
  readonly runTimeNs: bigint;
  readonly runCount: bigint;
}

export interface TestRunOptions {
  readonly data: Uint8Array;
  /** struct __sk_buff or struct xdp_md. */
  readonly context?: Uint8Array;
  readonly repeat?: number;
}

export interface TestRunResult {
  readonly returnValue: number;
  /** Mean over `repeat`, as the kernel measured it. */
  readonly durationNs: number;
  readonly data: Uint8Array;
}

export declare class BpfProgram {
  static openPinned(path: string): BpfProgram;
  readonly info: ProgramInfo;
  testRun(options: TestRunOptions): TestRunResult;
  pin(path: string): void;
  close(): void;
}

export type AttachDirection = 'ingress' | 'egress';

/** A BPF link (TCX, XDP). */
export declare class BpfLink {
  /** bpf_link_create with BPF_TCX_INGRESS/EGRESS and BPF_F_BEFORE: in front of all programs that are there. */
  static attachTcx(program: BpfProgram, ifindex: number, direction: AttachDirection): BpfLink;
  static openPinned(path: string): BpfLink;
  /** ifindex 0 = the interface is gone, the link is detached. */
  readonly info: { readonly id: number; readonly programId: number; readonly ifindex: number };
  update(program: BpfProgram): void;
  detach(): void;
  pin(path: string): void;
  close(): void;
}

/** Raw BPF_PROG_QUERY on a TCX hook: ids of the attached programs, in order. */
export declare function tcxQuery(ifindex: number, direction: AttachDirection): number[];

/** Where the driver calls the program, or where the kernel does after it has made a packet of the frame. */
export type XdpMode = 'native' | 'generic';

/** bpf_link_create with BPF_XDP (5.9). EBUSY when a program is there already, EOPNOTSUPP for a mode that the driver has not. */
export declare function xdpAttach(program: BpfProgram, ifindex: number, mode: XdpMode): BpfLink;
/** Id of the program in each mode, 0 = none; `offloaded` = in the network card. */
export declare function xdpQuery(ifindex: number): {
  readonly native: number;
  readonly generic: number;
  readonly offloaded: number;
};

/** Where the kernel has decided whether the host takes, forwards or sends a packet. */
export type NetfilterHook = 'local-in' | 'forward' | 'local-out';

/**
 * bpf_link_create with BPF_NETFILTER (6.4) in this thread's network namespace; lower priorities come first. EBUSY where a
 * program has that priority. Such a link cannot be updated.
 */
export declare function netfilterAttach(
  program: BpfProgram,
  family: 4 | 6,
  hook: NetfilterHook,
  priority: number,
): BpfLink;
/** undefined for another kind of link. */
export declare function netfilterQuery(
  link: BpfLink,
): { readonly family: 4 | 6; readonly hook: NetfilterHook | undefined; readonly priority: number } | undefined;

/** clsact filter, direct action. Creates the qdisc if it is absent; replaces a filter of the same handle and priority. */
export declare function clsactAttach(
  program: BpfProgram,
  ifindex: number,
  direction: AttachDirection,
  handle: number,
  priority: number,
): void;
/** Program id attached at handle and priority, or 0. */
export declare function clsactQuery(
  ifindex: number,
  direction: AttachDirection,
  handle: number,
  priority: number,
): number;
export declare function clsactDetach(
  ifindex: number,
  direction: AttachDirection,
  handle: number,
  priority: number,
): void;

export interface ClsactFilter {
  readonly priority: number;
  /** Ethertype that it sees; 3 (ETH_P_ALL) = every packet. */
  readonly protocol: number;
  /** Of classifier, e.g. `bpf`, `flower`. */
  readonly kind: string;
  readonly handle: number;
  /** 0 = it is no BPF program. */
  readonly programId: number;
  /** As whoever attached the program calls it; empty for another kind. */
  readonly name: string;
}
/** RTM_GETTFILTER dump of chain 0, in the order in which packets meet the filters; empty without qdisc or interface. */
export declare function clsactFilters(ifindex: number, direction: AttachDirection): ClsactFilter[];

/** One thread per ring buffer, which looks at it every 10 ms, every 100 when there is nothing: records handed over in packed chunks, nothing lost in the hand-over. */
export declare class RingBuffer {
  /**
   * onChunk gets [u32 length][record, padded to 8]... and the number of records: the next entry begins 4 bytes and the
   * length, rounded up to 8, further on. Without onChunk no thread is started and only drain() reads. The thread keeps
   * the event loop alive; what onChunk throws becomes an uncaught exception.
   */
  static open(map: BpfMap, onChunk?: (chunk: Uint8Array, records: number) => void): RingBuffer;
  /** Whatever is there now, in the same format; only without onChunk. */
  drain(): Uint8Array;
  /** Ends the thread, then calls onChunk with what it had read; what still is in the ring stays there. */
  close(): void;
}

/**
 * What has been told of which flow, and what is new, over the mapped flow table. Reports are struct tt_flow_report
 * (bpf/abi/flow.h), one after the other. Each count of the table is in one report, once: what was told is kept in `told`.
 */
export declare class FlowBook {
  static open(
    maps: { readonly flows: BpfMap; readonly cache: BpfMap; readonly told: BpfMap },
    shape: { readonly regions: number; readonly room: number; readonly cacheSlots: number; readonly hz: number },
  ): FlowBook;
  /** Takes all flows that are there as told. */
  adopt(): void;
  /**
   * What is new of the flows from a place on, at most `room` reports; with `leavesOut` it goes on to the end and only counts
   * what would be more.
   */
  sweep(
    from: number,
    jiffies: number,
    room: number,
    leavesOut: boolean,
  ): { readonly reports: Uint8Array; readonly next: number; readonly isDone: boolean };
  /** What the records of a chunk of events (see RingBuffer) say of flows that went; more than `room` reports are counted only. */
  settle(chunk: Uint8Array, room: number): Uint8Array;
  /**
   * Has tt_flush_cache bring to the table what waits in flow caches, on a thread that goes from CPU to CPU (sched_setaffinity).
   * `waiting` = slots of CPUs that are offline, or where this process may not run.
   */
  flush(program: BpfProgram, jiffies: number): { readonly flushed: number; readonly waiting: number };
  /**
   * Reports that were counted only, since open; and flows of which it is not known how much was told before they went, with all
   * that they had counted.
   */
  readonly leftOut: { readonly reports: number; readonly packets: number; readonly bytes: number };
  close(): void;
}

export interface NetworkLink {
  readonly ifindex: number;
  readonly name: string;
  /** `aa:bb:cc:dd:ee:ff`; empty for interfaces without one. */
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** IFLA_INFO_KIND, e.g. `veth`; empty when none. */
  readonly kind: string;
  /** For a veth whose other end is in another namespace the kernel can name: that end's MAC (IFLA_TARGET_NETNSID); else empty. */
  readonly peerMac: string;
  /** Number of the bridge, bond or VRF that it is a part of; 0 = of none. */
  readonly master: number;
  /** Number of the interface of this namespace that it stands on: a VLAN's, a macvlan's; 0 = on none. */
  readonly lower: number;
}

/** RTM_GETLINK dump of this namespace. */
export declare function linkList(): NetworkLink[];

/** RTM_GETADDR dump of this namespace: 4 or 16 bytes each; of a point-to-point link the address of this end. */
export declare function addressList(): { readonly ifindex: number; readonly bytes: Uint8Array }[];

/**
 * RTNLGRP_LINK and RTNLGRP_TC: calls back with the ifindex of every link that appeared or changed, and with removed = true for
 * one that vanished; with filters = true, and no name, for one whose clsact filters changed: a filter came, was replaced or
 * went, or all with their queueing discipline; with addresses = true, and no name, for one that got or lost an address
 * (RTNLGRP_IPV4_IFADDR and its like). overrun = some were lost: list again.
 */
export declare class LinkMonitor {
  static open(
    onChange: (change: {
      readonly ifindex: number;
      readonly name: string;
      readonly removed: boolean;
      readonly filters: boolean;
      readonly addresses: boolean;
      readonly overrun: boolean;
    }) => void,
  ): LinkMonitor;
  close(): void;
}

/**
 * Returns when every program that was running at the call has finished (an update of a map-in-map waits for an RCU
 * grace period, kernel/bpf/syscall.c maybe_wait_bpf_programs); resolves off the main thread.
 */
export declare function waitForPrograms(): Promise<void>;

export interface KernelFeatures {
  readonly release: string;
  readonly possibleCpus: number;
  /** Each found by trying it, not by version. */
  readonly tcx: boolean;
  /** bpf(2) makes maps. When it is there but not permitted, probeFeatures throws EPERM. */
  readonly bpfSyscall: boolean;
  /** /sys/kernel/btf/vmlinux is readable. */
  readonly btf: boolean;
  readonly mmapableArrays: boolean;
  /** Values of array maps over 4 MiB. */
  readonly largeValues: boolean;
  readonly ringBuffer: boolean;
  readonly redirectPeer: boolean;
  /** Programs at netfilter's hooks (6.4). */
  readonly netfilterPrograms: boolean;
}
export declare function probeFeatures(): KernelFeatures;

/** Mounts bpffs at path (mount(2)); EBUSY when something is mounted there. */
export declare function mountBpffs(path: string): void;
/** sendto(2) to the unix datagram socket at path; `@name` = in the abstract namespace. Never waits. */
export declare function sendDatagram(path: string, message: Uint8Array): void;
/** flock(LOCK_EX | LOCK_NB) on a file, held until close(). */
export declare class FileLock {
  static acquire(path: string): FileLock;
  close(): void;
}
/**
 * Addresses, 4 or 16 bytes each, of the other ends of established TCP connections with that local port (sock_diag). ENOENT where the
 * kernel cannot tell (CONFIG_INET_TCP_DIAG).
 */
export declare function tcpPeers(port: number): Uint8Array[];
/** SO_PEERCRED of a connected unix socket's fd. */
export declare function peerCredentials(fd: number): {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
};

/** Runs `call` with this thread in the network namespace at `path`, then comes back. `call` must not be asynchronous. */
export declare function inNamespace<T>(path: string, call: () => T): T;

export interface SendJob {
  /** Path of the network namespace to send in. */
  readonly namespace: string;
  /** The CPU that sends, and with it the one that carries each packet through the stack. */
  readonly cpu: number;
  readonly packets: number;
  /** BPF_F_MMAPABLE array whose first 64-bit word a program counts arrivals in. */
  readonly arrivals: BpfMap;
  /** How long no packet may arrive before the rest counts as lost. */
  readonly patienceMs: number;
}

export interface SendOutcome {
  readonly sent: number;
  readonly arrived: number;
  /** From the first packet's sending to the last one's arrival, without what a call takes to set up. */
  readonly elapsedNs: number;
}

/**
 * BPF_PROG_RUN of an XDP program with BPF_F_TEST_XDP_LIVE_FRAMES (5.18): each frame enters the namespace's loopback interface if
 * the program passes it. Frames are recycled as the path left them: whoever takes them there must write them anew. On a
 * thread of its own.
 */
export declare function sendLive(program: BpfProgram, frame: Uint8Array, job: SendJob): Promise<SendOutcome>;
/** The frames in turn, over an AF_PACKET socket past the queueing discipline. On a thread of its own. */
export declare function sendPackets(ifindex: number, frames: readonly Uint8Array[], job: SendJob): Promise<SendOutcome>;

/** A UDP socket in the namespace of the calling thread that nobody reads: what its filter keeps lies there until it is full. */
export declare class UdpSink {
  /** `program` is a socket filter: it sees each datagram that arrives at the address, headers of UDP first. */
  static open(program: BpfProgram, address: string, port: number): UdpSink;
  /** May be called again. */
  close(): void;
}

export interface TcpLoadJob {
  /** `stream`: one connection, one direction. `rr`: requests of a byte over one. `crr`: a connection for each request. */
  readonly kind: 'stream' | 'rr' | 'crr';
  readonly clientNamespace: string;
  readonly serverNamespace: string;
  /** Both ends run on it. */
  readonly cpu: number;
  /** The server's. */
  readonly address: string;
  readonly port: number;
  readonly forMs: number;
}

export interface TcpLoadOutcome {
  /** That the server read, of a stream. */
  readonly bytes: number;
  readonly elapsedNs: number;
  /** Of each request, of `crr` from before connect to after close. */
  readonly latenciesNs: Uint32Array;
}

/** On threads of its own. Rejects with the first thing that failed, ETIMEDOUT or EAGAIN for a path that does not let it through. */
export declare function tcpLoad(job: TcpLoadJob): Promise<TcpLoadOutcome>;
