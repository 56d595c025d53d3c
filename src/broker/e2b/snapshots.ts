// The methods for snapshots: create, list, delete. They call only E2B's API.
import { z } from 'zod';
import { Sandbox } from '../../e2b/sdk.ts';
import { omitUndefined } from '../../ground/omit-undefined.ts';
import { onInstance, options, sandboxId } from './arguments.ts';
import { method } from './method.ts';

const snapshotId = z
  .string()
  .regex(/^[a-z0-9][\w.:/-]{0,199}$/i, 'is not a snapshot id, as createSnapshot and listSnapshots give it')
  // The id becomes part of a path, so it must not contain empty or dot segments.
  .regex(/^(?!.*(?:\/\/|\/$|\/\.{1,2}(?:\/|$)))/, 'is not a snapshot id: it contains an empty or a dot segment');

const createSnapshot = method('Sandbox.createSnapshot', {
  mode: 'write',
  args: onInstance({ opts: options({ name: z.string().max(200).optional() }) }),
  run: ({ sandboxId, opts: { name } }, call) =>
    call.send(() => Sandbox.createSnapshot(sandboxId, { ...call.sdk, ...omitUndefined({ name }) })),
});

const listSnapshots = method('Sandbox.listSnapshots', {
  mode: 'read',
  args: z.strictObject({
    opts: options({
      sandboxId: sandboxId.optional(),
      limit: z.number().int().min(1).max(100).optional(),
      nextToken: z.string().max(2_000).optional(),
    }),
  }),
  async run({ opts }, call) {
    const { requestTimeoutMs: _, ...given } = opts;
    const { signal, ...sdk } = call.sdk;
    const pages = Sandbox.listSnapshots({ ...sdk, ...(omitUndefined(given) as object) });
    return call.send(async () => ({ items: await pages.nextItems({ signal }), nextToken: pages.nextToken }));
  },
});

const deleteSnapshot = method('Sandbox.deleteSnapshot', {
  mode: 'write',
  args: z.strictObject({ snapshotId, opts: options({}) }),
  run: ({ snapshotId }, call) => call.send(() => Sandbox.deleteSnapshot(snapshotId, call.sdk)),
});

export const SNAPSHOTS = {
  'Sandbox.createSnapshot': createSnapshot,
  'Sandbox.listSnapshots': listSnapshots,
  'Sandbox.deleteSnapshot': deleteSnapshot,
};
