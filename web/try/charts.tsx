// Draws charts that the code interpreter describes as data (`results[].chart`). Other charts are shown in the tree.
import { visible } from '../answer.ts';

type Point = readonly [x: number, y: number];
type Series = { readonly label: string; readonly points: readonly Point[] };
type Chart = { readonly kind: 'line' | 'scatter' | 'bar'; readonly title: string; readonly series: readonly Series[] };

const MAX_CHARTS = 8;
const MAX_POINTS = 2_000;
const MAX_DEPTH = 4;
const [WIDTH, HEIGHT, PAD] = [640, 240, 12];

export function Charts({ value }: { value: unknown }) {
  const charts = chartsIn(value, MAX_DEPTH).slice(0, MAX_CHARTS);
  if (charts.length === 0) return null;
  return (
    <section aria-label="Charts">
      <h3>Charts</h3>
      {charts.map((chart, at) => (
        <Drawing key={`${at} ${chart.title}`} chart={chart} />
      ))}
    </section>
  );
}

function chartsIn(value: unknown, depth: number): readonly Chart[] {
  if (typeof value !== 'object' || value === null || depth === 0) return [];
  const chart = chartOf(value as Record<string, unknown>);
  return chart === undefined
    ? Object.values(value)
        .slice(0, 50)
        .flatMap(each => chartsIn(each, depth - 1))
    : [chart];
}

function chartOf({ type, title, elements }: Record<string, unknown>): Chart | undefined {
  if (!Array.isArray(elements) || (type !== 'line' && type !== 'scatter' && type !== 'bar')) return undefined;
  const series =
    type === 'bar'
      ? [
          {
            label: '',
            points: elements.flatMap((element, at) => pointOf([at, (element as { value?: unknown }).value])),
          },
        ]
      : elements.flatMap(element => seriesOf(element));
  const drawn = series.filter(({ points }) => points.length > 0);
  return drawn.length === 0 ? undefined : { kind: type, title: String(title ?? '').slice(0, 200), series: drawn };
}

function seriesOf(element: unknown): Series[] {
  const { label, points } = (element ?? {}) as { label?: unknown; points?: unknown };
  if (!Array.isArray(points)) return [];
  return [{ label: String(label ?? '').slice(0, 100), points: points.slice(0, MAX_POINTS).flatMap(pointOf) }];
}

const pointOf = (point: unknown): Point[] => {
  const [x, y] = Array.isArray(point) ? point.map(Number) : [];
  return x !== undefined && y !== undefined && Number.isFinite(x) && Number.isFinite(y) ? [[x, y]] : [];
};

function Drawing({ chart: { kind, title, series } }: { chart: Chart }) {
  const all = series.flatMap(({ points }) => points);
  const x = scale(
    all.map(([value]) => value),
    PAD,
    WIDTH - PAD,
  );
  const heights = all.map(([, value]) => value);
  const y = scale(kind === 'bar' ? [0, ...heights] : heights, HEIGHT - PAD, PAD);
  const name = title === '' ? `A ${kind} chart` : visible(title);
  const barWidth = Math.max(2, ((WIDTH - 2 * PAD) / Math.max(1, all.length)) * 0.7);
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${name}, ${all.length} points`}>
        {series.map(({ label, points }, at) =>
          kind === 'line' ? (
            <polyline
              key={`${at} ${label}`}
              class={`series s${at % 4}`}
              points={points.map(([px, py]) => `${x(px)},${y(py)}`).join(' ')}
            />
          ) : (
            points.map(([px, py]) =>
              kind === 'bar' ? (
                <rect
                  key={px}
                  class="bar"
                  x={x(px) * ((WIDTH - barWidth) / WIDTH)}
                  width={barWidth}
                  y={Math.min(y(py), y(0))}
                  height={Math.abs(y(0) - y(py))}
                />
              ) : (
                <circle key={`${px} ${py}`} class={`point s${at % 4}`} cx={x(px)} cy={y(py)} r="3" />
              ),
            )
          ),
        )}
      </svg>
      <figcaption>{[name, ...series.map(({ label }) => visible(label)).filter(Boolean)].join(' · ')}</figcaption>
    </figure>
  );
}

/** Does not spread the values into Math.min, because there may be thousands. */
function scale(values: readonly number[], from: number, to: number): (value: number) => number {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const span = max - min;
  return value => (span === 0 ? (from + to) / 2 : from + ((value - min) / span) * (to - from));
}
