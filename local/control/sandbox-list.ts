// Listing sandboxes: v1 (what runs, no pages) and v2 (filters and pages).
import type { Cloud, Sandbox } from '../cloud.ts';
import { ApiError } from './errors.ts';
import type { Call, Handlers } from './operation.ts';
import { paginate } from './page.ts';
import { viewListed } from './views.ts';

export function sandboxListHandlers(cloud: Cloud): Handlers {
  const matching = ({ team, query }: Call<{ readonly metadata?: string }>): Sandbox[] => {
    const wanted = parseMetadata(query.metadata);
    return cloud.ofTeam(team.teamId).filter(({ spec: { metadata } }) => {
      return wanted.every(([key, value]) => Object.hasOwn(metadata, key) && metadata[key] === value);
    });
  };
  return {
    'GET /sandboxes': call => {
      const running = matching(call).filter(each => each.state === 'running');
      return paginate(running, positionOf, { query: {}, res: call.res }).map(viewListed);
    },
    'GET /v2/sandboxes': call => {
      const { state: states = ['running', 'paused'], template, startedAfter } = call.query;
      const found = matching(call)
        .filter(each => states.some(state => state === each.state))
        .filter(({ spec }) => !template || spec.templateId === template || spec.alias === template)
        .filter(({ startedAtMs }) => startedAfter === undefined || startedAtMs >= Date.parse(startedAfter));
      const running = found.filter(each => each.state === 'running').length;
      if (states.includes('running')) call.res.set('x-total-running', String(running));
      return paginate(found, positionOf, call).map(viewListed);
    },
  };
}

const positionOf = (sandbox: Sandbox) => ({ timeMs: sandbox.startedAtMs, id: sandbox.sandboxId });

/**
 * `k=v&k=v`, encoded twice: the whole as a query value (decoded already), each key and value for itself.
 * @throws ApiError 400
 */
function parseMetadata(text = ''): [string, string][] {
  if (text === '') return [];
  try {
    return unescaped(text)
      .split('&')
      .map(pair => {
        const [key, value, ...rest] = pair.split('=');
        if (key === undefined || value === undefined || rest.length > 0) throw new URIError(pair);
        return [unescaped(key), unescaped(value)];
      });
  } catch {
    throw new ApiError(400, 'Error parsing metadata');
  }
}

/** As in a query: a plus is a space. Throws URIError on a broken percent sign. */
const unescaped = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
