// What each kernel has to pass: features, the tests that prove them, and what a kernel cannot have. Pure.

export interface Feature {
  readonly name: string;
  /** For the table in docs/kernels.md. */
  readonly meaning: string;
  /** Sources of the tests, relative to the project. */
  readonly files: readonly string[];
  /** Tests that need what older kernels lack, by words of their titles: left out below the version that has it. */
  readonly needs?: readonly { readonly words: string; readonly since: Version }[];
  readonly env?: Readonly<Record<string, string>>;
  /** Words of the titles that prove it, where the files hold more. */
  readonly only?: readonly string[];
  /** Run when it is named, and only then. */
  readonly isByName?: true;
}

/** One guest with all that runs in it. */
export interface Lane {
  /** As `--kernel` takes them: others have no such guest; undefined = all have one. */
  readonly kernels?: readonly string[];
  readonly features: readonly Feature[];
}

/** For each `npm test`: the oldest that is served, the two that Debian's stable releases have, and the newest. */
export const KERNELS = ['5.10', '6.1', '6.12', '7'] as const;

/** And the last of the series before, which is what many hosts run. */
export const ALL_KERNELS = ['5.10', '6.1', '6.12', '6', '7'] as const;

/** Of those of each `npm test`, the ones that have programs at netfilter's hooks. */
const WITH_HOST_POLICY = ['6.12', '6', '7'];
/** One that attaches by TCX and one that does by clsact: what proof there is takes a guest four minutes. */
const PROVEN_ON = ['6.1', '6.12'];

/** A test's own limit, stretched: a guest without KVM runs its code some twenty times slower. */
export const TEST_LIMIT_MS = 240_000;
/** What the limits inside of tests are multiplied with. */
export const PATIENCE = 10;
/** Of one guest with all tests of one lane. */
export const GUEST_LIMIT_MS = 1_500_000;

type Version = readonly [major: number, minor: number];

const TCX: Version = [6, 6];
/** Programs at netfilter's hooks. */
const NETFILTER: Version = [6, 4];
/** The first kernel of the plan that lets a test run say which interface brought the packet. */
export const ORIGIN_IN_TEST_RUNS: Version = [6, 1];
/** Its features share the agent: starting one takes a guest as long as a hundred questions to it. */
const ONE_AGENT = 'test/vm/agent.test.ts';
/**
 * What is loaded with the default sizes is the verifier's, and to clear them takes a guest seconds at each start. An agent compiled
 * to one module has no process that keeps flows.
 */
const SMALL_AGENT = {
  TORTIE_HEAP_WORDS: '2097152',
  TORTIE_MAX_FLOWS: '16384',
  TORTIE_V6_NODES: '1024',
  TORTIE_FLOW_STORE: 'off',
};
const packet = (name: string) => `test/packet/${name}.test.ts`;

/**
 * Two lanes, each one guest of one processor: what takes sockets, namespaces and an agent, and what is judged by test runs. A third where
 * hosts can have policy of their own. On some kernels one more, when it is named: the proof that test/proof gives of the host's kernel, as much as a
 * guest has time for.
 * Two guests keep two processors busy; a guest of two would let packets overtake each other whenever one of them waits.
 *
 * Not run here: test/unit, which no kernel takes part in; of test/host whatever asks the same of the kernel as the three
 * files below (conformance has more policies, not more paths), or measures time.
 */
export const LANES: readonly Lane[] = [
  {
    features: [
      {
        name: 'sockets',
        meaning:
          'all pairs of workloads, outsiders and host, every kind of probe, both families, with the agent running',
        files: [ONE_AGENT],
        only: ['> sockets >'],
        env: SMALL_AGENT,
      },
      {
        name: 'restart',
        meaning: 'the agent is killed and restarted under traffic: verdicts stand, connections live on',
        files: [ONE_AGENT],
        only: ['> restart >'],
        env: SMALL_AGENT,
      },
      {
        name: 'clock',
        meaning:
          'set forward and back under traffic: said, and of no effect on verdicts, connections and confirmations',
        files: [ONE_AGENT],
        only: ['> clock >'],
        env: SMALL_AGENT,
      },
      {
        name: 'attachment',
        meaning: 'by TCX where the kernel has it and by clsact; whatever somebody else detaches is attached again',
        files: [ONE_AGENT],
        only: ['> attachment >'],
        env: SMALL_AGENT,
        needs: [
          { words: 'by TCX', since: TCX },
          { words: 'takes its place in front again', since: TCX },
        ],
      },
      {
        name: 'host endpoints',
        meaning:
          'in force where the kernel has programs for them; elsewhere the agent says why not, and all else stands',
        files: [ONE_AGENT],
        only: ['> host endpoints >'],
        env: SMALL_AGENT,
      },
    ],
  },
  {
    features: [
      {
        name: 'verifier',
        meaning: 'every program of every object is loaded, with maps of the default size',
        files: ['test/vm/objects.test.ts'],
        needs: [{ words: 'takes every program of host', since: NETFILTER }],
      },
      {
        name: 'packets',
        meaning:
          'each step of the packet walk: parsing, fragments, flows, ICMP errors, delivery, reports, resets, captures, flow logs, the guard',
        files: [
          'parse',
          'classify',
          'cache',
          'endpoint',
          'deliver',
          'fragments',
          'icmp-error',
          'policy-change',
          'tcp-flow',
          'other-flow',
          'report',
          'reset',
          'capture',
          'flow-logs',
          'flow-counter',
          'endpoint-slots',
          'allowed-sources',
          'takeover',
          'guard',
        ].map(packet),
      },
      {
        name: 'agreement',
        meaning: 'loaded programs and reference evaluator give one verdict on generated policies and flows',
        files: [packet('agreement')],
        needs: [{ words: 'agree with the reference evaluator', since: ORIGIN_IN_TEST_RUNS }],
        // Loading the programs anew for each world is most of the time.
        env: { TORTIE_EXACT_FLOWS: '2000' },
      },
    ],
  },
  {
    kernels: WITH_HOST_POLICY,
    features: [
      {
        name: 'hosts',
        meaning:
          'policy of the host itself: each list at each hook, flows, what is always allowed, untracked and pre-DNAT policy',
        files: ['host-admission', 'host-flow', 'host-late', 'host-path', 'host-places', 'host-untracked'].map(packet),
      },
      {
        name: 'host sockets',
        meaning:
          'to, from and through the host, from workloads and from outside, with translation: all rows, with the agent running',
        files: ['test/host/host-truth.test.ts', 'test/host/host-endpoint.test.ts'],
        env: SMALL_AGENT,
      },
      {
        name: 'host links',
        meaning: 'host endpoints on bonds, VLANs, tunnels and WireGuard, which appear and vanish',
        files: ['test/host/host-link-kinds.test.ts'],
        only: ['kind bond', 'kind vlan', 'kind ipip', 'kind wireguard'],
        env: SMALL_AGENT,
      },
    ],
  },
  {
    kernels: PROVEN_ON,
    features: [
      {
        name: 'proof',
        meaning:
          'killed, flipped, without memory, and replaced by another layout under traffic: no packet is judged wrongly',
        files: ['test/vm/proof.test.ts'],
        env: SMALL_AGENT,
        isByName: true,
      },
    ],
  },
];

export const FEATURES = LANES.flatMap(({ features }) => features);

/** Lanes that a kernel has. */
export function lanesOf(request: string): readonly Lane[] {
  return LANES.filter(({ kernels }) => kernels?.includes(request) ?? true);
}

/** Words of titles of tests that a kernel is too old for. */
export function leftOut(feature: Feature, abi: string): string[] {
  return (feature.needs ?? []).filter(({ since }) => isOlder(abi, since)).map(({ words }) => words);
}

/** `abi` as `uname -r` has it. */
export function isOlder(abi: string, [major, minor]: Version): boolean {
  const [ownMajor = 0, ownMinor = 0] = abi.split('.').map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}
