// Puts a program on the ingress of interfaces in another namespace. Which program, and why, is the caller's business.
import { DataplaneError } from '../base/errors.ts';
import { type BpfProgram, loadNative, translateErrors } from '../kernel/native.ts';

const FILTER_HANDLE = 1;
const FILTER_PRIORITY = 1;

/**
 * By TCX where the kernel has it (6.6), else by clsact, as the agent does. Returns what takes it off again. Throws
 * INTERFACE_MISSING, PERMISSION or KERNEL.
 */
export function attachIngress(namespacePath: string, device: string, program: BpfProgram): () => void {
  const { BpfLink, clsactAttach, clsactDetach, inNamespace, probeFeatures } = loadNative();
  const ifindex = interfaceIndex(namespacePath, device);
  return translateErrors('attach to ingress', device, () => {
    if (probeFeatures().tcx) {
      const link = inNamespace(namespacePath, () => BpfLink.attachTcx(program, ifindex, 'ingress'));
      return () => link.close();
    }
    inNamespace(namespacePath, () => clsactAttach(program, ifindex, 'ingress', FILTER_HANDLE, FILTER_PRIORITY));
    return () => inNamespace(namespacePath, () => clsactDetach(ifindex, 'ingress', FILTER_HANDLE, FILTER_PRIORITY));
  });
}

/** Throws INTERFACE_MISSING. */
export function interfaceIndex(namespacePath: string, device: string): number {
  const { inNamespace, linkList } = loadNative();
  const link = inNamespace(namespacePath, () => linkList()).find(({ name }) => name === device);
  if (link !== undefined) return link.ifindex;
  throw new DataplaneError('INTERFACE_MISSING', 'is not there', {
    operation: 'find',
    target: `${namespacePath} ${device}`,
  });
}
