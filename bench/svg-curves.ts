// How costs grow with a size: lines on logarithmic axes, each with its fitted exponent.
import type { GrowthFit } from './growth.ts';
import { formatNumber, formatParams } from './results.ts';
import { colourOf, line, round, text, WIDTH } from './svg.ts';
import type { Figure } from './svg-bars.ts';

const LEFT = 70;
const RIGHT = 300;
const HEAD = 46;
const PLOT_HEIGHT = 220;
const FOOT = 44;
const LEGEND_STEP = 18;

interface Axis {
  readonly low: number;
  readonly high: number;
  readonly place: (value: number) => number;
}

/** All fits over the same size in the same unit, from `top` down. */
export function growthChart(fits: readonly GrowthFit[], top: number): Figure {
  const [first] = fits as [GrowthFit, ...GrowthFit[]];
  const plotTop = top + HEAD;
  const bottom = plotTop + PLOT_HEIGHT;
  const x = axis(
    fits.flatMap(({ sizes }) => sizes),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = axis(
    fits.flatMap(({ values }) => values),
    bottom,
    plotTop,
  );
  const parts = [
    text(0, top + 20, `${first.section}: ${first.unit} over ${first.over}`, { class: 'title' }),
    ...decades(x).map((value) => line(x.place(value), plotTop, x.place(value), bottom, 'grid')),
    ...decades(y).map((value) => line(LEFT, y.place(value), WIDTH - RIGHT, y.place(value), 'grid')),
    ...decades(x).map((value) => text(x.place(value), bottom + 18, formatNumber(value), { anchor: 'middle' })),
    ...decades(y).map((value) => text(LEFT - 8, y.place(value) + 4, formatNumber(value), { anchor: 'end' })),
    ...fits.flatMap((fit, index) => curve(fit, index, x, y, plotTop)),
  ];
  return { height: HEAD + Math.max(PLOT_HEIGHT + FOOT, fits.length * LEGEND_STEP + FOOT), parts };
}

function curve(fit: GrowthFit, index: number, x: Axis, y: Axis, top: number): string[] {
  const colour = colourOf(index);
  const points = fit.sizes.map((size, at) => [x.place(size), y.place(fit.values[at] as number)] as const);
  const path = points.map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${round(px)} ${round(py)}`).join(' ');
  const label = [fit.name, formatParams(fit.params)].filter((part) => part !== '').join(', ');
  const legendY = top + 12 + index * LEGEND_STEP;
  return [
    `<path d="${path}" style="stroke:${colour};stroke-width:2"/>`,
    ...points.map(([px, py]) => `<circle cx="${round(px)}" cy="${round(py)}" r="3" fill="${colour}"/>`),
    text(WIDTH - RIGHT + 16, legendY, `${label}: exponent ${fit.exponent}`, { colour }),
  ];
}

/** From one power of ten to another, around all values. */
function axis(values: readonly number[], from: number, to: number): Axis {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return { low, high, place: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from) };
}

function decades({ low, high }: Axis): number[] {
  return Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
}
