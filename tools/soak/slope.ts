// Does a row of readings grow: a straight line through it, and how sure its slope is. Pure.

export interface Reading {
  readonly hours: number;
  readonly value: number;
}

export interface Slope {
  /** Units of the value for each hour. */
  readonly perHour: number;
  /** The slope is within this much of perHour with 95 % confidence. */
  readonly error: number;
  /** Of the values. */
  readonly mean: number;
}

/** Neighbours in time are alike, which would make a line look surer than it is: so many means stand for all readings. */
const BLOCKS = 12;
/** Student's t, two-sided 95 %, by degrees of freedom from 1 on. */
const STUDENT_T = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23];

/** Least squares. Fewer than three readings have a slope of nothing and an error without end. */
export function slopeOf(readings: readonly Reading[]): Slope {
  const points = blockMeans(readings);
  const mean = average(points.map(({ value }) => value));
  if (points.length < 3) return { perHour: 0, error: Infinity, mean };
  const meanHours = average(points.map(({ hours }) => hours));
  const spread = sum(points.map(({ hours }) => (hours - meanHours) ** 2));
  const perHour = sum(points.map(({ hours, value }) => (hours - meanHours) * (value - mean))) / spread;
  const residuals = points.map(({ hours, value }) => value - mean - perHour * (hours - meanHours));
  const freedom = points.length - 2;
  const standardError = Math.sqrt(sum(residuals.map((residual) => residual ** 2)) / freedom / spread);
  return { perHour, error: standardError * (STUDENT_T[freedom - 1] ?? 2), mean };
}

function blockMeans(readings: readonly Reading[]): Reading[] {
  const size = Math.ceil(readings.length / BLOCKS);
  return Array.from({ length: Math.floor(readings.length / Math.max(1, size)) }, (_, block) => {
    const part = readings.slice(block * size, (block + 1) * size);
    return { hours: average(part.map(({ hours }) => hours)), value: average(part.map(({ value }) => value)) };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function average(values: readonly number[]): number {
  return sum(values) / Math.max(1, values.length);
}
