// The methods of `sbx.files`. Reading stops as soon as a file exceeds the limit. Bytes are sent to and from the guest
// as base64.
import { z } from 'zod';
import { GatewayError } from '../../errors.ts';
import { omitUndefined } from '../../ground/omit-undefined.ts';
import { readPieces } from '../../ground/read-capped.ts';
import { onInstance, options, path, user } from './arguments.ts';
import { bytesOf, data } from './commands.ts';
import { MaskedJson, method } from './method.ts';

/** Maximum size of a file that is read: as base64 it still fits into one response. */
const MAX_READ_BYTES = 5_000_000;

const userOptions = options({ user: user.optional() });

const read = method('Sandbox.files.read', {
  mode: 'read',
  args: onInstance({
    path,
    opts: options({
      user: user.optional(),
      format: z
        .enum(
          ['text', 'bytes', 'base64'],
          'is "text", "bytes" (a Uint8Array) or "base64"; there are no streams or blobs here',
        )
        .default('text'),
    }),
  }),
  run: ({ sandboxId, path, opts }, call) =>
    call.onSandbox(
      sandboxId,
      async ({ sandbox, sdk }) => {
        const stream = await sandbox.files.read(path, {
          format: 'stream',
          signal: sdk.signal,
          ...omitUndefined({ user: opts.user }),
        });
        const pieces = await readPieces(stream, {
          maxBytes: MAX_READ_BYTES,
          tooLarge: () => tooLarge(path),
          onBytes: call.context.answer.take,
        });
        const form = opts.format === 'text' ? 'string' : 'base64';
        return new MaskedJson(await call.context.maskedJson(pieces, form));
      },
      MAX_READ_BYTES + 64 * 1024,
    ),
});

const tooLarge = (path: string) =>
  new GatewayError(
    'answer_too_large',
    `${path.slice(0, 200)} is larger than ${MAX_READ_BYTES} bytes. Read a part (commands.run('head -c 100000 …')), work on it in the sandbox, or hand out downloadUrl(path).`,
  );

const entry = z.strictObject({ path, data });

const write = method('Sandbox.files.write', {
  mode: 'write',
  args: onInstance({
    files: z.array(entry).min(1).max(1_000),
    /** True if the guest passed a single file, not a list. */
    single: z.boolean(),
    opts: options({ user: user.optional(), metadata: z.record(z.string(), z.string()).optional() }),
  }),
  async run({ sandboxId, files, single, opts }, call) {
    const entries = files.map(({ path, data }) => ({ path, data: exactBuffer(bytesOf(data)) }));
    call.context.checkRequest(entries.reduce((sum, { data }) => sum + data.byteLength, 0));
    const { user, metadata } = opts;
    return call.onSandbox(sandboxId, async ({ sandbox, sdk }) => {
      const writeOpts = {
        signal: sdk.signal,
        ...omitUndefined({ user, metadata }),
      };
      const [only] = entries;
      return single && only !== undefined
        ? sandbox.files.write(only.path, only.data, writeOpts)
        : sandbox.files.write(entries, writeOpts);
    });
  },
});

/** Small buffers share an ArrayBuffer, and the SDK would send all of it, so the bytes are copied. */
const exactBuffer = (bytes: Buffer): ArrayBuffer => new Uint8Array(bytes).buffer;

const list = method('Sandbox.files.list', {
  mode: 'read',
  args: onInstance({
    path,
    opts: options({ user: user.optional(), depth: z.number().int().min(1).max(50).optional() }),
  }),
  run: ({ sandboxId, path, opts }, call) =>
    call.onSandbox(sandboxId, ({ sandbox, sdk }) =>
      sandbox.files.list(path, {
        signal: sdk.signal,
        ...omitUndefined({ user: opts.user, depth: opts.depth }),
      }),
    ),
});

type OnePath = 'exists' | 'getInfo' | 'makeDir' | 'remove';

const onePath = (name: OnePath, mode: 'read' | 'write') =>
  method(`Sandbox.files.${name}`, {
    mode,
    args: onInstance({ path, opts: userOptions }),
    run: ({ sandboxId, path, opts }, call) =>
      call.onSandbox<unknown>(sandboxId, ({ sandbox, sdk }) =>
        sandbox.files[name](path, { signal: sdk.signal, ...omitUndefined({ user: opts.user }) }),
      ),
  });

const rename = method('Sandbox.files.rename', {
  mode: 'write',
  args: onInstance({ oldPath: path, newPath: path, opts: userOptions }),
  run: ({ sandboxId, oldPath, newPath, opts }, call) =>
    call.onSandbox(sandboxId, ({ sandbox, sdk }) =>
      sandbox.files.rename(oldPath, newPath, {
        signal: sdk.signal,
        ...omitUndefined({ user: opts.user }),
      }),
    ),
});

export const FILES = {
  'Sandbox.files.read': read,
  'Sandbox.files.write': write,
  'Sandbox.files.list': list,
  'Sandbox.files.exists': onePath('exists', 'read'),
  'Sandbox.files.getInfo': onePath('getInfo', 'read'),
  'Sandbox.files.makeDir': onePath('makeDir', 'write'),
  'Sandbox.files.rename': rename,
  'Sandbox.files.remove': onePath('remove', 'write'),
};
