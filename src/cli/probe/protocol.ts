// What a probe and its answer are. A datagram is answered only if it is a probe, and never by one: two that answer each other
// would go on for ever.

export const PROBE_MAGIC = 'tortie-probe?';
export const ANSWER_MAGIC = 'tortie-probe!';
/** Echo (RFC 862). */
export const DEFAULT_PORT = 7;
const MAX_BYTES = 64;

/** undefined = it is no probe. */
export function answerTo(datagram: Buffer): Buffer | undefined {
  if (datagram.length > MAX_BYTES || !datagram.subarray(0, PROBE_MAGIC.length).equals(Buffer.from(PROBE_MAGIC))) {
    return undefined;
  }
  return Buffer.concat([Buffer.from(ANSWER_MAGIC), datagram.subarray(PROBE_MAGIC.length)]);
}

export function probeDatagram(id: string): Buffer {
  return Buffer.from(`${PROBE_MAGIC}${id}`);
}

export function isAnswer(datagram: Buffer, id: string): boolean {
  return datagram.equals(Buffer.from(`${ANSWER_MAGIC}${id}`));
}
