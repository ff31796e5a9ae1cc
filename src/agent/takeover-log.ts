// What an agent says of programs and tables that it found in force when it opened the dataplane.
import type { Logger } from '../base/log.ts';
import type { Dataplane } from '../kernel/dataplane.ts';

export function sayWhatIsTakenOver(
  { takesOverFrom, losesFlows, isApart }: Pick<Dataplane, 'takesOverFrom' | 'losesFlows' | 'isApart'>,
  log: Logger,
): void {
  if (takesOverFrom !== undefined) log.info('another layout is in force until all is read', { layout: takesOverFrom });
  if (isApart)
    log.warn('programs before were compiled otherwise (net.core.bpf_jit_enable): interfaces change over one by one');
  if (losesFlows) log.warn('connections are kept in another way than before: each is judged anew');
}
