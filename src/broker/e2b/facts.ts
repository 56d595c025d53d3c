// Asks E2B about the sandbox that a call would end or change, for the person who is asked for approval: template, age,
// metadata. Takes one small request; without a response in time there are no facts.
import { apiOf } from '../../e2b/api-client.ts';
import { askApi, type Connection } from '../../e2b/connection.ts';
import { maskKey } from '../../upstream/key-spellings.ts';
import type { Describe } from '../approvals.ts';
import { REQUEST_TAG } from './quota.ts';

const TIMEOUT_MS = 3_000;
const MAX_ANSWER_BYTES = 200_000;
const MAX_PAIRS = 5;

export const describeOver =
  (connection: Connection): Describe =>
  async ({ id, resource, inside }, { principal, signal }) => {
    if (id === undefined || (resource !== 'sandbox' && inside !== true)) return undefined;
    const limits = { timeoutMs: TIMEOUT_MS, maxAnswerBytes: MAX_ANSWER_BYTES };
    const call = { apiKey: principal.apiKey, principalId: principal.id, signal, ...limits };
    try {
      const { data } = await askApi(connection, call, sdk =>
        apiOf(sdk).GET('/sandboxes/{sandboxID}', {
          params: { path: { sandboxID: id } },
          signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        }),
      );
      return data && factsOf(data, text => maskKey(text, principal.apiKey));
    } catch {
      return undefined;
    }
  };

type Detail = {
  readonly templateID: string;
  readonly alias?: string;
  readonly startedAt: string;
  readonly state: string;
  readonly metadata?: Readonly<Record<string, string>>;
};

function factsOf(
  { templateID, alias, startedAt, state, metadata = {} }: Detail,
  masked: (text: string) => string,
): string {
  const pairs = Object.entries(metadata)
    .filter(([name]) => name !== REQUEST_TAG)
    .slice(0, MAX_PAIRS)
    .map(([name, value]) => `${masked(name).slice(0, 40)}=${masked(value).slice(0, 60)}`);
  const parts = [`template ${alias ?? templateID}`, state, `started ${ageOf(Date.parse(startedAt))} ago`];
  return [...parts, ...(pairs.length > 0 ? [`metadata ${pairs.join(', ')}`] : [])].join(', ');
}

const MINUTE_MS = 60_000;

/** `3 min`, `26 h`, `9 d`. */
function ageOf(startedMs: number): string {
  const minutes = Math.max(0, Math.round((Date.now() - startedMs) / MINUTE_MS));
  if (!Number.isFinite(minutes)) return 'an unknown time';
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1_440)} d`;
}
