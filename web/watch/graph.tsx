// Shows a few measurements as a small line chart, with the newest as text.

const [WIDTH, HEIGHT] = [64, 20];

export function Graph({ name, values, text }: { name: string; values: readonly number[]; text: string }) {
  const step = WIDTH / Math.max(1, values.length - 1);
  const yOf = (value: number) => HEIGHT - 1 - Math.min(1, Math.max(0, value)) * (HEIGHT - 2);
  const line =
    values.length === 1
      ? [yOf(values[0] ?? 0), yOf(values[0] ?? 0)].map((y, at) => `${at * WIDTH},${y}`)
      : values.map((value, at) => `${at * step},${yOf(value)}`);
  return (
    <div class="graph">
      <span class="soft">{name}</span>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        {values.length > 0 && <polyline class="series s0" points={line.join(' ')} />}
      </svg>
      <span>{text}</span>
    </div>
  );
}
