// Listing sandboxes: v1 (what runs, no pages) and v2 (filters and pages).
import { z } from 'zod';
import type { Cloud, Sandbox } from '../cloud.ts';
import { ApiError } from './errors.ts';
import { pageQuery, paginate } from './page.ts';
import { parseQuery, queryList, type Route, route } from './route.ts';
import { viewListed } from './views.ts';

const listQuery = z.object({ metadata: z.string().optional() });
const listV2Query = z.object({
  ...pageQuery,
  metadata: z.string().optional(),
  state: queryList.pipe(z.array(z.enum(['running', 'paused']))).optional(),
  order: z.enum(['asc', 'desc']).default('desc'),
  startedAfter: z.iso.datetime({ offset: true }).optional(),
  template: z.string().optional(),
});

export function sandboxListRoutes(cloud: Cloud): Route[] {
  return [
    route('get', '/sandboxes', 200, ({ team, query: raw }) => {
      const wanted = parseMetadata(parseQuery(listQuery, raw).metadata);
      const running = cloud.ofTeam(team.teamId).filter(each => each.state === 'running' && hasMetadata(each, wanted));
      return paginate(running, positionOf, { limit: running.length }, undefined).map(viewListed);
    }),
    route('get', '/v2/sandboxes', 200, ({ team, query: raw, res }) => {
      const query = parseQuery(listV2Query, raw);
      const wanted = parseMetadata(query.metadata);
      const states: readonly string[] = query.state ?? ['running', 'paused'];
      const matching = cloud
        .ofTeam(team.teamId)
        .filter(each => states.includes(each.state) && hasMetadata(each, wanted))
        .filter(({ spec }) => !query.template || spec.templateId === query.template || spec.alias === query.template)
        .filter(({ startedAtMs }) => query.startedAfter === undefined || startedAtMs >= Date.parse(query.startedAfter));
      const running = matching.filter(each => each.state === 'running').length;
      if (states.includes('running')) res.set('x-total-running', String(running));
      return paginate(matching, positionOf, query, res, query.order).map(viewListed);
    }),
  ];
}

const positionOf = (sandbox: Sandbox) => ({ timeMs: sandbox.startedAtMs, id: sandbox.sandboxId });

function hasMetadata({ spec }: Sandbox, wanted: ReadonlyMap<string, string>): boolean {
  return [...wanted].every(([key, value]) => Object.hasOwn(spec.metadata, key) && spec.metadata[key] === value);
}

/**
 * `k=v&k=v`, encoded twice: the whole as a query value (decoded already), each key and value for itself.
 * @throws ApiError 400
 */
function parseMetadata(text: string | undefined): Map<string, string> {
  if (text === undefined || text === '') return new Map();
  try {
    return new Map(
      unescaped(text)
        .split('&')
        .map(pair => {
          const [key, value, ...rest] = pair.split('=');
          if (key === undefined || value === undefined || rest.length > 0) throw new URIError(pair);
          return [unescaped(key), unescaped(value)];
        }),
    );
  } catch {
    throw new ApiError(400, 'Error parsing metadata');
  }
}

/** As in a query: a plus is a space. Throws URIError on a broken percent sign. */
const unescaped = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
