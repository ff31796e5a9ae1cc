// Instructions of each function of a compiled object, and the compiler that made it. Needs no kernel.
import { readSection, readText } from '../tools/gen-abi/elf.ts';

const SYMBOL_BYTES = 24;
const INSTRUCTION_BYTES = 8;
/** ELF symbol type STT_FUNC. */
const FUNCTION = 2;

/** Function name -> instructions, as compiled. Throws Error when the file is no BPF object. */
export function functionSizes(object: Uint8Array): Map<string, number> {
  const symbols = readSection(object, '.symtab');
  const names = readSection(object, '.strtab');
  const sizes = new Map<string, number>();
  for (let at = 0; at < symbols.byteLength; at += SYMBOL_BYTES) {
    if ((symbols.getUint8(at + 4) & 15) !== FUNCTION) continue;
    const bytes = Number(symbols.getBigUint64(at + 16, true));
    sizes.set(readText(names, symbols.getUint32(at, true)), bytes / INSTRUCTION_BYTES);
  }
  return sizes;
}

/** Major version of the clang that compiled it; undefined when the object does not say. */
export function clangVersion(object: Uint8Array): number | undefined {
  const found = /clang version (\d+)/.exec(Buffer.from(object).toString('latin1'))?.[1];
  return found === undefined ? undefined : Number(found);
}
