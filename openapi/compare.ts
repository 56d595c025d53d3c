// `pnpm openapi:compare [file-or-url]`: compares the facts of our description with E2B's own (published.yml, or what is
// given), both ways, and lists every difference. Exit 1 when one is not on the list of intended ones, 2 when there is nothing usable to compare with.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseDocument } from '../src/spec/document.ts';
import { loadDescription } from '../src/spec/load.ts';
import { slim } from '../src/spec/slim.ts';
import { compareFacts, type Difference } from './facts.ts';

const OURS = 'openapi/e2b.yaml';
const THEIRS = 'openapi/published.yml';

const NEWER = 'newer than the published copy; typed by the e2b package 2.51.0';
const DOCUMENTED = "in E2B's documentation, not in its description";
const REPLACED = 'deprecated by the e2b package 2.51.0, which names the v2 form';

/** Where we differ on purpose: the end of a place → why. */
const INTENDED: readonly (readonly [RegExp, string])[] = [
  [/^POST \/v2\/sandboxes(\/\{sandboxID\}\/connect)?$/, NEWER],
  [/^POST \/sandboxes(\/\{sandboxID\}\/connect)?#deprecated$/, REPLACED],
  [/\.network\.httpsPorts$/, NEWER],
  [/^(?:GET|POST|PATCH|DELETE) \/events\//, DOCUMENTED],
  [/^POST \/v3\/templates body\.minFreeDiskMb$/, NEWER],
  [/^GET \/templates\/\{templateID\}\/files\/\{hash\} 201 answer\.headers$/, NEWER],
  [/^GET \/templates\/\{templateID\}\/builds\/\{buildID\}\/status 200 answer\.logs#deprecated$/, NEWER],
];

/** What `compare` found: unintended differences first, each with the two sides. */
export async function report(oursPath: string, theirsText: string): Promise<{ lines: string[]; unintended: number }> {
  const ours = await loadDescription(oursPath);
  const theirs = slim(parseDocument(theirsText));
  const found = compareFacts(ours, theirs).map(difference => ({
    difference,
    reason: INTENDED.find(([pattern]) => pattern.test(difference.place))?.[1],
  }));
  const unintended = found.filter(({ reason }) => reason === undefined);
  const intended = found.filter(({ reason }) => reason !== undefined);
  const lines = [
    ...unintended.map(({ difference }) => `  DIFFERS   ${line(difference)}`),
    ...intended.map(({ difference, reason }) => `  intended  ${line(difference)} (${reason})`),
    `${ours.operations.length} operations here, ${theirs.operations.length} there; ${unintended.length} differences, ${intended.length} more intended.`,
  ];
  return { lines, unintended: unintended.length };
}

function line({ place, ours, theirs }: Difference): string {
  if (theirs === undefined) return `${place}: only here${ours === 'there' ? '' : ` (${ours})`}`;
  if (ours === undefined) return `${place}: only there${theirs === 'there' ? '' : ` (${theirs})`}`;
  return `${place}: ${ours} here, ${theirs} there`;
}

async function readSource(source: string): Promise<string> {
  if (!/^https?:\/\//.test(source)) return readFile(source, 'utf8');
  const response = await fetch(source, { signal: AbortSignal.timeout(20_000) });
  if (!response.ok) throw new Error(`${source} answered ${response.status}`);
  return response.text();
}

async function main(source = THEIRS): Promise<number> {
  try {
    const { lines, unintended } = await report(OURS, await readSource(source));
    console.log(lines.join('\n'));
    return unintended > 0 ? 1 : 0;
  } catch (caught) {
    console.error(`openapi:compare: ${caught instanceof Error ? caught.message : String(caught)}`);
    return 2;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv[2]);
