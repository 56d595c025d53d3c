// Calls the guard with requests under E2B's description, and returns the refusal.
import { GatewayError } from '../../src/errors.ts';
import { targetOf } from '../../src/upstream/client.ts';
import { type GuardedRequest, guardRequest } from '../../src/upstream/guard.ts';
import { Operations } from '../../src/upstream/operations.ts';
import { description } from './description.ts';

export const listed = new Operations(description);
export const unlisted = new Operations(description, { allowUnlisted: true });

export const refusal = (raw: unknown, mode: 'read' | 'write' = 'write', operations = listed): GatewayError => {
  try {
    guardRequest(raw, mode, operations);
  } catch (caught) {
    if (caught instanceof GatewayError) return caught;
    throw caught;
  }
  throw new Error(`was let through: ${JSON.stringify(raw)}`);
};
export const get = (path: string, query?: object) => ({
  method: 'GET',
  path,
  ...(query === undefined ? {} : { query }),
});
export const target = (request: GuardedRequest) => targetOf(request);
