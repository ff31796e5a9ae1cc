// A packet filter as its manual describes it: chains walked rule by rule, with jumps that come back, gotos that do not,
// and one mark bit. What rules compare is the parsers' business.
import type { Flow } from '../../../../src/model/flow.ts';

export interface MachinePacket extends Flow {
  isMarked: boolean;
}

export type Step =
  | { readonly kind: 'accept' | 'drop' | 'return' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'log' }
  | { readonly kind: 'mark'; readonly isSet: boolean };

export interface MachineRule {
  /** undefined = the rule does not match. */
  step(packet: MachinePacket): Step | undefined;
}

export type MachineChains = ReadonlyMap<string, readonly MachineRule[]>;

export interface MachineVerdict {
  readonly verdict: 'allow' | 'deny';
  readonly isLogged: boolean;
}

/** What becomes of the flow's first packet; the end of the entry chain accepts. */
export function runMachine(chains: MachineChains, entry: string, flow: Flow): MachineVerdict {
  const packet: MachinePacket = { ...flow, isMarked: true };
  const calls: { readonly rules: readonly MachineRule[]; at: number }[] = [{ rules: rulesOf(chains, entry), at: 0 }];
  let isLogged = false;
  for (let frame = calls.at(-1); frame !== undefined; frame = calls.at(-1)) {
    const rule = frame.rules[frame.at++];
    const step: Step | undefined = rule === undefined ? { kind: 'return' } : rule.step(packet);
    if (step === undefined) continue;
    if (step.kind === 'accept' || step.kind === 'drop') {
      return { verdict: step.kind === 'accept' ? 'allow' : 'deny', isLogged };
    }
    if (step.kind === 'log') isLogged = true;
    if (step.kind === 'mark') packet.isMarked = step.isSet;
    if (step.kind === 'goto' || step.kind === 'return') calls.pop();
    if (step.kind === 'goto' || step.kind === 'jump') calls.push({ rules: rulesOf(chains, step.chain), at: 0 });
  }
  return { verdict: 'allow', isLogged };
}

function rulesOf(chains: MachineChains, name: string): readonly MachineRule[] {
  const rules = chains.get(name);
  if (rules === undefined) throw new Error(`there is no chain ${name}`);
  return rules;
}
