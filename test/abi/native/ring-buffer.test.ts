// The ring buffer hands every record over once, in order, and ends when it is told to.
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BpfObject, builtFile, loadNative } from '../../../src/kernel/native.ts';
import { objectPath, openObject, u32 } from './fixture.ts';

const packet = { data: new Uint8Array(64) };

/** Numbers of the records in a chunk, each checked against its own content. */
function unpack(chunk: Uint8Array): number[] {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const numbers: number[] = [];
  for (let at = 0; at < chunk.byteLength; ) {
    const length = view.getUint32(at, true);
    const number = Number(view.getBigUint64(at + 4, true));
    const word = view.getUint32(at + 12, true);
    if (length !== 12 || word !== (number * 3) >>> 0)
      throw new Error(`damaged: length ${length}, record ${number}, word ${word}`);
    numbers.push(number);
    at += 4 + Math.ceil(length / 8) * 8;
  }
  return numbers;
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 5000; !condition() && Date.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('a ring buffer', () => {
  const { RingBuffer } = loadNative();
  let object: BpfObject;

  beforeEach(() => {
    object = openObject();
  });
  afterEach(() => object.close());

  it('gives what is there when drained', () => {
    const ring = RingBuffer.open(object.map('records'));
    expect(ring.drain().byteLength).toBe(0);
    object.program('report').testRun({ ...packet, repeat: 100 });
    expect(unpack(ring.drain())).toEqual(upTo(100));
    expect(ring.drain().byteLength).toBe(0);
    ring.close();
    expect(() => ring.drain()).toThrow('RingBuffer is closed');
  });

  /** Records that found room, and those that did not, as the program counted them. */
  function counts(): { readonly taken: number; readonly lost: number } {
    const bss = object.map(object.maps.find((name) => name.endsWith('.bss')) as string);
    const [taken = 0n, lost = 0n] = new BigUint64Array((bss.lookup(u32(0)) as Uint8Array).slice().buffer);
    return { taken: Number(taken), lost: Number(lost) };
  }

  it('hands over every record of bursts that fit', async () => {
    const numbers: number[] = [];
    let counted = 0;
    const ring = RingBuffer.open(object.map('records'), (chunk, records) => {
      numbers.push(...unpack(chunk));
      counted += records;
    });
    // 64 KiB hold 2730 records of 12 + 8 bytes, rounded up to 24: a burst fits only when the one before is gone.
    for (let sent = 2000; sent <= 100_000; sent += 2000) {
      object.program('report').testRun({ ...packet, repeat: 2000 });
      await until(() => numbers.length >= sent);
    }
    ring.close();
    expect(counts()).toEqual({ taken: 100_000, lost: 0 });
    expect(counted).toBe(100_000);
    expect(numbers).toEqual(upTo(100_000));
  });

  it('hands over all that the kernel took from a flood, in order', async () => {
    let next = 0;
    const ring = RingBuffer.open(object.map('records'), (chunk) => {
      for (const number of unpack(chunk)) {
        if (number !== next) throw new Error(`record ${number} came, ${next} was due`);
        next += 1;
      }
    });
    for (let flood = 0; flood < 10; flood += 1) {
      object.program('report').testRun({ ...packet, repeat: 200_000 });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => next === counts().taken);
    ring.close();
    const { taken, lost } = counts();
    expect(taken + lost).toBe(2_000_000);
    expect(next).toBe(taken);
  });

  it('delivers on close what it had read, and leaves the rest in the ring', async () => {
    const numbers: number[] = [];
    const ring = RingBuffer.open(object.map('records'), (chunk) => numbers.push(...unpack(chunk)));
    object.program('report').testRun({ ...packet, repeat: 1000 });
    const end = Date.now() + 50;
    while (Date.now() < end); // the thread reads, the event loop stands still
    expect(numbers).toEqual([]);
    ring.close();
    const delivered = numbers.length;
    const rest = RingBuffer.open(object.map('records'));
    expect([...numbers, ...unpack(rest.drain())]).toEqual(upTo(1000));
    rest.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(numbers.length).toBe(delivered);
  });

  it('may be closed by its own callback', async () => {
    let calls = 0;
    const ring = RingBuffer.open(object.map('records'), () => {
      calls += 1;
      ring.close();
    });
    object.program('report').testRun({ ...packet, repeat: 10 });
    await until(() => calls > 0);
    object.program('report').testRun({ ...packet, repeat: 10 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toBe(1);
  });

  it('is not drained beside its thread', () => {
    const ring = RingBuffer.open(object.map('records'), () => {});
    expect(() => ring.drain()).toThrow('its thread reads it');
    ring.close();
  });

  it('is made from ring buffer maps only', () => {
    expect(() => RingBuffer.open(object.map('numbers'))).toThrow(/open ring buffer numbers: EINVAL/);
    expect(() => RingBuffer.open(object.map('records'), 'callback' as never)).toThrow('onChunk must be a function');
  });

  /** Runs a script with the addon and the object in a process of its own. */
  function runAlone(body: string): { status: number | null; stdout: string; stderr: string } {
    const script = `
      import { createRequire } from 'node:module';
      const native = createRequire('/')(${JSON.stringify(builtFile('build/Release/tortie.node'))});
      const object = native.BpfObject.open(${JSON.stringify(objectPath)}, {});
      const run = (count) => object.program('report').testRun({ data: new Uint8Array(64), repeat: count });
      ${body}`;
    return spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      timeout: 10_000,
    });
  }

  it('lets the process end once it is closed', () => {
    const body = `const ring = native.RingBuffer.open(object.map('records'), () => { console.log('heard'); ring.close(); }); run(1);`;
    expect(runAlone(body)).toMatchObject({ status: 0, stdout: 'heard\n', stderr: '' });
  });

  it('does not disturb a process that ends without closing it', () => {
    const body = `native.RingBuffer.open(object.map('records'), () => {}); run(1000); setTimeout(() => process.exit(3), 20);`;
    expect(runAlone(body)).toMatchObject({ status: 3, stderr: '' });
  });

  it('makes an exception of its callback an uncaught one, and goes on', () => {
    const body = `
      process.on('uncaughtException', (error) => { console.log('uncaught', error.message); run(1); });
      let calls = 0;
      const ring = native.RingBuffer.open(object.map('records'), () => {
        calls += 1;
        if (calls === 1) throw new Error('thrown');
        console.log('again');
        ring.close();
      });
      run(1);`;
    expect(runAlone(body)).toMatchObject({ status: 0, stdout: 'uncaught thrown\nagain\n', stderr: '' });
  });
});
