// Datagrams to a socket of this machine: what Node has no way for. A receiver has room for few at a time, and is given time.
import { setTimeout as sleep } from 'node:timers/promises';
import { loadNative } from '../../../kernel/native.ts';
import { errnoName } from '../../../kernel/native-error.ts';
import { SinkError } from '../sink.ts';

const PAUSE_MS = 2;
/** Of pauses without any room. */
const PATIENCE = 500;

/** Throws SinkError. */
export async function sendUnixDatagrams(path: string, messages: readonly Uint8Array[]): Promise<void> {
  const native = loadNative();
  let pauses = 0;
  for (let at = 0; at < messages.length; ) {
    try {
      native.sendDatagram(path, messages[at] as Uint8Array);
      at += 1;
      pauses = 0;
    } catch (error) {
      const isFull = errnoName(error) === 'EAGAIN';
      if (!isFull || pauses >= PATIENCE) throw new SinkError((error as Error).message, { cause: error });
      pauses += 1;
      await sleep(PAUSE_MS);
    }
  }
}
