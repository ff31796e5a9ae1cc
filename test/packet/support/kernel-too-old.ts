// What a test throws that an old kernel gives no means for. Where tests may run on such kernels, it counts as left out.
import type { BpfProgram, TestRunResult } from '../../../native/index.d.ts';
import { loadNative } from '../../../src/kernel/native.ts';

export class KernelTooOld extends Error {
  override readonly name = 'KernelTooOld';
}

/** Linux 5.10 refuses test runs that say which interface brought the packet; the next long-term kernel takes them. */
const IS_ORIGIN_REFUSED = /^5\.10\./.test(loadNative().probeFeatures().release);

/** Throws KernelTooOld where the kernel refuses the run because it says where the packet came from. */
export function runFromSomewhere(program: BpfProgram, request: Parameters<BpfProgram['testRun']>[0]): TestRunResult {
  try {
    return program.testRun(request);
  } catch (cause) {
    if (!IS_ORIGIN_REFUSED) throw cause;
    throw new KernelTooOld('a test run cannot say which interface brought the packet', { cause });
  }
}
