// PacketCapture -> nothing that is judged: only its selector is looked at. The agent carries it out.
import type { ResourceOf } from '../../resources/resource.ts';
import { ParseContext, type ParseResult } from './result.ts';
import { selectorWithoutGlobal } from './rules.ts';

export function parsePacketCapture(resource: ResourceOf<'PacketCapture'>): ParseResult {
  const context = new ParseContext(resource);
  selectorWithoutGlobal(resource.spec.selector, ['spec', 'selector'], context);
  return context.result();
}
