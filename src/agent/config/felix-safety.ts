// Fields of FelixConfiguration that protect something and that nothing here goes by: what is left undone, so that whoever relies
// on it can be told. That they are accepted at all is known to the schema.

interface ProtectiveField {
  /** Whether the value asks for what is not done; others ask for what holds here anyway. */
  readonly asks: (value: unknown) => boolean;
  readonly leftUndone: string;
}

const isTrue = (value: unknown): boolean => value === true;
const isNot =
  (harmless: string) =>
  (value: unknown): boolean =>
    String(value).toLowerCase() !== harmless;

const NOT_ENCRYPTED = 'traffic between nodes is not encrypted';
const NO_TUNNEL_BAN = 'workloads may send tunnelled packets wherever policy allows the protocol or port';

const PROTECTIVE: Readonly<Record<string, ProtectiveField>> = {
  allowIPIPPacketsFromWorkloads: { asks: (value) => value === false, leftUndone: NO_TUNNEL_BAN },
  allowVXLANPacketsFromWorkloads: { asks: (value) => value === false, leftUndone: NO_TUNNEL_BAN },
  bpfDisableUnprivileged: {
    asks: isTrue,
    leftUndone: 'sysctl kernel.unprivileged_bpf_disabled stays as the machine has it',
  },
  bpfEnforceRPF: { asks: isNot('disabled'), leftUndone: "sources are checked on workloads' interfaces, on no others" },
  bpfJITHardening: { asks: isNot('auto'), leftUndone: 'sysctl net.core.bpf_jit_harden stays as the machine has it' },
  dropActionOverride: { asks: isNot('drop'), leftUndone: 'what policy denies is dropped' },
  wireguardEnabled: { asks: isTrue, leftUndone: NOT_ENCRYPTED },
  wireguardEnabledV6: { asks: isTrue, leftUndone: NOT_ENCRYPTED },
  wireguardHostEncryptionEnabled: { asks: isTrue, leftUndone: NOT_ENCRYPTED },
  workloadSourceSpoofing: {
    asks: isNot('disabled'),
    leftUndone: 'workloads may send from their own addresses only',
  },
};

/** All of them, whatever their value. */
export const PROTECTIVE_FIELDS: readonly string[] = Object.keys(PROTECTIVE);

/** undefined = the field protects nothing, or the value asks for nothing that is left undone. */
export function leftUndone(field: string, value: unknown): string | undefined {
  const one = PROTECTIVE[field];
  return one?.asks(value) === true ? one.leftUndone : undefined;
}
