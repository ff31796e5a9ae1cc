// bench/instructions.json: the instruction counts that the programs are held to. Compilers and verifiers count
// differently, so the file says which it was made with, and only counts of the same are compared.
import { readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { builtFile } from '../src/kernel/native.ts';
import { type ComparedRow, compareRows, readTolerances } from './compare.ts';
import { COUNTED } from './instructions.ts';
import { clangVersion } from './instructions-object.ts';
import type { BenchResult } from './results.ts';

const FILE = 'bench/instructions.json';

export interface Surroundings {
  /** Major version. */
  readonly clang: number | undefined;
  /** Major and minor version. */
  readonly kernel: string;
}

export interface InstructionBaseline extends Surroundings {
  readonly results: readonly BenchResult[];
}

export interface InstructionCheck {
  readonly compared: readonly ComparedRow[];
  /** Why some counts were not compared. */
  readonly notes: readonly string[];
}

/** What the objects here were compiled with, and the kernel that runs. */
export function surroundingsHere(): Surroundings {
  const [first] = COUNTED;
  const object = readFileSync(builtFile(first?.object ?? ''));
  return { clang: clangVersion(object), kernel: release().split('.').slice(0, 2).join('.') };
}

export function readInstructionBaseline(): InstructionBaseline {
  return JSON.parse(readFileSync(FILE, 'utf8')) as InstructionBaseline;
}

/** Makes these counts the ones to hold to. Returns the file's name. */
export function writeInstructionBaseline(results: readonly BenchResult[]): string {
  const own = results.filter(({ section }) => section === 'instructions');
  const baseline: InstructionBaseline = { ...surroundingsHere(), results: own };
  writeFileSync(FILE, `${JSON.stringify(baseline, null, 2)}\n`);
  return FILE;
}

/** Compares counts with the baseline, as far as both were made by the same. */
export function checkInstructions(
  now: readonly BenchResult[],
  baseline: InstructionBaseline,
  here: Surroundings,
): InstructionCheck {
  const notes: string[] = [];
  const isSameClang = here.clang === baseline.clang;
  const isSameKernel = here.kernel === baseline.kernel;
  if (!isSameClang) notes.push(`compiled by clang ${here.clang}, the baseline by ${baseline.clang}: nothing compared`);
  else if (!isSameKernel) {
    notes.push(`Linux ${here.kernel}, the baseline is of ${baseline.kernel}: the verifier's counts are not compared`);
  }
  const isComparable = ({ name }: BenchResult): boolean => isSameClang && (isSameKernel || isCompiled(name));
  const compared = compareRows(
    baseline.results.filter((row) => isComparable(row) && now.some(({ name }) => name === row.name)),
    now.filter(isComparable),
    readTolerances(),
  );
  return { compared, notes };
}

/** Functions alone come and go; what they add up to is what counts. */
export function hasGrown({ change, key }: ComparedRow): boolean {
  return change === 'slower' && key.name !== 'compiled-function';
}

function isCompiled(name: string): boolean {
  return name.startsWith('compiled');
}
