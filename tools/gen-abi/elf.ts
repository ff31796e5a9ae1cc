// Finds one section of an ELF64 little-endian file, which is what `clang -target bpf` writes. Nothing else of ELF.

const SECTION_HEADERS_AT = 40;
const SECTION_HEADER_SIZE_AT = 58;
const SECTION_COUNT_AT = 60;
const NAME_SECTION_AT = 62;

/** Contents of the named section. Throws Error if the file is not such an ELF file or lacks the section. */
export function readSection(file: Uint8Array, name: string): DataView {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.byteLength < 64 || view.getUint32(0) !== 0x7f454c46 || view.getUint16(4) !== 0x0201) {
    throw new Error('not a 64-bit little-endian ELF file');
  }
  const names = sectionAt(view, view.getUint16(NAME_SECTION_AT, true));
  for (let index = 0; index < view.getUint16(SECTION_COUNT_AT, true); index += 1) {
    if (readText(names, view.getUint32(headerAt(view, index), true)) === name) return sectionAt(view, index);
  }
  throw new Error(`no section ${name}: was it compiled with -g?`);
}

/** The zero-terminated text at an offset. */
export function readText(view: DataView, at: number): string {
  let end = at;
  while (view.getUint8(end) !== 0) end += 1;
  return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at, end - at));
}

function headerAt(view: DataView, index: number): number {
  return Number(view.getBigUint64(SECTION_HEADERS_AT, true)) + index * view.getUint16(SECTION_HEADER_SIZE_AT, true);
}

function sectionAt(view: DataView, index: number): DataView {
  const header = headerAt(view, index);
  const offset = Number(view.getBigUint64(header + 24, true));
  const size = Number(view.getBigUint64(header + 32, true));
  return new DataView(view.buffer, view.byteOffset + offset, size);
}
