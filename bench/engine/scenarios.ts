// The work of every contender, as source text in which `call(n)` is a host call and `spec` the description.

/** Makes about 250 kB of operations, like an OpenAPI description of medium size. */
export function makeSpec(): { paths: Record<string, Record<string, unknown>> } {
  const paths: Record<string, Record<string, unknown>> = {};
  for (let i = 0; i < 300; i++) {
    const parameters = Array.from({ length: 6 }, (_, k) => ({
      name: `parameter${k}`,
      in: 'query',
      required: k === 0,
      schema: { type: 'string', minLength: k },
    }));
    paths[`/things/${i}/{thingID}`] = {
      get: {
        operationId: `GET /things/${i}`,
        summary: `Get thing number ${i} of its kind`,
        tags: [`t${i % 9}`],
        parameters,
      },
    };
  }
  return { paths };
}

/** The response to a call, as JSON text. */
export const ANSWERS = {
  small: JSON.stringify({ status: 200, data: { text: 'x'.repeat(2_000), id: 7 } }),
  big: JSON.stringify({
    status: 200,
    data: Array.from({ length: 12_000 }, (_, i) => ({
      id: i,
      name: `sandbox-${i}`,
      state: i % 2 ? 'running' : 'paused',
      metadata: { owner: `o${i % 50}`, n: i },
      tags: ['a', 'b'],
    })),
  }),
};

export type Scenario = {
  readonly name: string;
  readonly title: string;
  /** Body of an async function. */
  readonly body: string;
  readonly answer: keyof typeof ANSWERS;
  readonly delayMs: number;
  /** True if the code uses `spec`. */
  readonly search?: true;
  readonly rounds: number;
};

export const SCENARIOS: readonly Scenario[] = [
  { name: 'trivial', title: 'nothing: `async () => 1`', body: 'return 1', answer: 'small', delayMs: -1, rounds: 200 },
  {
    name: 'three',
    title: 'three awaited calls of 2 kB',
    body: 'let n = 0; for (let i = 0; i < 3; i++) n += (await call(i)).data.text.length; return n',
    answer: 'small',
    delayMs: -1,
    rounds: 100,
  },
  {
    name: 'search',
    title: 'search a 250 kB description',
    body: `const hits = []; for (const [path, methods] of Object.entries(spec.paths)) for (const [method, o] of Object.entries(methods)) if (/thing number \\d*7/.test(o.summary)) hits.push({ path, method, summary: o.summary, parameters: o.parameters.map(p => p.name) }); return hits.slice(0, 10)`,
    answer: 'small',
    delayMs: -1,
    search: true,
    rounds: 40,
  },
  {
    name: 'big',
    title: 'a 2 MB answer mapped down',
    body: 'const { data } = await call(0); return data.filter(s => s.state === "running" && s.metadata.n % 100 === 1).map(s => s.id)',
    answer: 'big',
    delayMs: -1,
    rounds: 6,
  },
  {
    name: 'cpu',
    title: 'computing (sort, filter, map of 100k)',
    body: 'const a = []; for (let i = 0, x = 1; i < 100000; i++) { x = (x * 48271) % 2147483647; a.push({ x, s: "k" + (x % 97) }) } a.sort((p, q) => p.x - q.x); return a.filter(r => r.s > "k5").map(r => r.x % 7).reduce((s, n) => s + n, 0)',
    answer: 'small',
    delayMs: -1,
    rounds: 2,
  },
];

export const WAITING: Scenario = {
  name: 'waiting',
  title: 'three calls of 50 ms',
  body: 'let n = 0; for (let i = 0; i < 3; i++) n += (await call(i)).data.id; return n',
  answer: 'small',
  delayMs: 50,
  rounds: 1,
};
