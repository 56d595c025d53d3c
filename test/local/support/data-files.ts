// What files do in a local sandbox, whatever its shell: declared once, run by a test file per shell.
import { type Sandbox as E2BSandbox, FileNotFoundError, type FilesystemEvent } from 'e2b';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ShellKind } from '../../support/machines.ts';
import { until } from './conditions.ts';
import { type Connection, Sandbox, startCloud } from './data.ts';

export function fileTests(shell: ShellKind): void {
  describe(`files, ${shell} shell`, () => {
    let sandbox: E2BSandbox;
    let connection: Connection;
    let close: () => Promise<void>;
    beforeAll(async () => {
      const started = await startCloud(shell);
      connection = started.connection;
      close = () => started.local.close();
      sandbox = await Sandbox.create(connection);
    });
    afterAll(() => close());

    test('text is written and read, folders made on the way', async () => {
      const written = await sandbox.files.write('notes/today.txt', 'grüße');
      expect(written).toMatchObject({ name: 'today.txt', path: '/home/user/notes/today.txt', type: 'file' });
      expect(await sandbox.files.read('/home/user/notes/today.txt')).toBe('grüße');
      expect(await sandbox.files.read('~/notes/today.txt')).toBe('grüße');
      await sandbox.files.write('notes/today.txt', '');
      expect(await sandbox.files.read('notes/today.txt')).toBe('');
    });

    test('any bytes come back as they were, by every way of writing', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ maxLength: 2_000 }),
          fc.boolean(),
          fc.boolean(),
          async (bytes, gzip, stream) => {
            const data = stream ? new Blob([bytes as never]).stream() : (bytes.buffer as ArrayBuffer);
            await sandbox.files.write('any.bin', data, { gzip, useOctetStream: stream });
            const read = await sandbox.files.read('any.bin', { format: 'bytes', gzip });
            expect(Buffer.from(read).equals(Buffer.from(bytes))).toBe(true);
          },
        ),
        { numRuns: 25 },
      );
    });

    test('a big file goes both ways', async () => {
      const bytes = Buffer.alloc(20 * 1024 * 1024, 'a longish pattern');
      await sandbox.files.write('big.bin', new Blob([bytes]));
      const read = await sandbox.files.read('big.bin', { format: 'bytes' });
      expect(Buffer.from(read).equals(bytes)).toBe(true);
      const stream = await sandbox.files.read('big.bin', { format: 'stream' });
      let size = 0;
      for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) size += chunk.length;
      expect(size).toBe(bytes.length);
      await sandbox.files.remove('big.bin');
    });

    test('several files in one call', async () => {
      const written = await sandbox.files.write([
        { path: 'many/a.txt', data: 'A' },
        { path: '/tmp/b.txt', data: 'B' },
      ]);
      expect(written.map(file => file.path)).toEqual(['/home/user/many/a.txt', '/tmp/b.txt']);
      expect(await sandbox.files.read('/tmp/b.txt')).toBe('B');
    });

    test('listing, to a depth', async () => {
      await sandbox.files.write('tree/one/two/three.txt', '3');
      await sandbox.files.write('tree/file.txt', 'x');
      expect((await sandbox.files.list('tree')).map(({ name, type }) => [name, type])).toEqual([
        ['file.txt', 'file'],
        ['one', 'dir'],
      ]);
      expect((await sandbox.files.list('tree', { depth: 3 })).map(entry => entry.path)).toContain(
        '/home/user/tree/one/two/three.txt',
      );
      await expect(sandbox.files.list('tree/file.txt')).rejects.toThrow(/not a directory/);
      await expect(sandbox.files.list('nowhere')).rejects.toBeInstanceOf(FileNotFoundError);
    });

    test('what a file is', async () => {
      await sandbox.files.write('what.txt', 'four');
      await sandbox.commands.run('chmod 600 what.txt; ln -s what.txt link; ln -s gone broken');
      expect(await sandbox.files.getInfo('what.txt')).toMatchObject({
        name: 'what.txt',
        type: 'file',
        path: '/home/user/what.txt',
        size: 4,
        mode: 0o600,
        permissions: '-rw-------',
        owner: 'user',
      });
      expect(await sandbox.files.getInfo('link')).toMatchObject({ type: 'file', symlinkTarget: '/home/user/what.txt' });
      expect(await sandbox.files.getInfo('broken')).toMatchObject({
        type: undefined,
        symlinkTarget: '/home/user/broken',
      });
      expect(await sandbox.files.exists('what.txt')).toBe(true);
      expect(await sandbox.files.exists('nowhere')).toBe(false);
      await expect(sandbox.files.getInfo('nowhere')).rejects.toBeInstanceOf(FileNotFoundError);
    });

    test('folders are made once; moving and removing take all along', async () => {
      expect(await sandbox.files.makeDir('made/deep')).toBe(true);
      expect(await sandbox.files.makeDir('made/deep')).toBe(false);
      await sandbox.files.write('made/deep/file.txt', 'moves', { metadata: { owner: 'me' } });
      expect((await sandbox.files.rename('made', 'moved/here')).path).toBe('/home/user/moved/here');
      expect(await sandbox.files.read('moved/here/deep/file.txt')).toBe('moves');
      expect((await sandbox.files.getInfo('moved/here/deep/file.txt')).metadata).toEqual({ owner: 'me' });
      await sandbox.files.remove('moved');
      expect(await sandbox.files.exists('moved/here/deep/file.txt')).toBe(false);
      await sandbox.files.remove('moved');
      await expect(sandbox.files.rename('nowhere', 'somewhere')).rejects.toBeInstanceOf(FileNotFoundError);
    });

    test('reading what is not a file is refused', async () => {
      await expect(sandbox.files.read('nowhere.txt')).rejects.toBeInstanceOf(FileNotFoundError);
      await expect(sandbox.files.read('/home/user')).rejects.toThrow(/is a directory/);
      await expect(sandbox.files.write('/home/user', 'x')).rejects.toThrow();
    });

    test('metadata is kept with the file', async () => {
      await sandbox.files.write('tagged.txt', 'x', { metadata: { author: 'someone', rev: '2' } });
      expect((await sandbox.files.getInfo('tagged.txt')).metadata).toEqual({ author: 'someone', rev: '2' });
    });

    test('watching tells what happens, below too when asked', async () => {
      await sandbox.files.makeDir('watched/inner');
      const flat: FilesystemEvent[] = [];
      const deep: FilesystemEvent[] = [];
      const flatHandle = await sandbox.files.watchDir('watched', event => void flat.push(event));
      const deepHandle = await sandbox.files.watchDir('watched', event => void deep.push(event), {
        recursive: true,
        includeEntry: true,
      });
      await sandbox.files.write('watched/inner/below.txt', 'x');
      await sandbox.files.write('watched/new.txt', 'x');
      await until(() => flat.some(({ name, type }) => name === 'new.txt' && type === 'create'));
      await until(() => deep.some(({ name }) => name === 'inner/below.txt'));
      await sandbox.commands.run('echo more >> watched/new.txt');
      await until(() => flat.some(({ name, type }) => name === 'new.txt' && type === 'write'));
      await sandbox.files.remove('watched/new.txt');
      await until(() => flat.some(({ name, type }) => name === 'new.txt' && type === 'remove'));
      expect(flat.some(({ name }) => name.includes('below'))).toBe(false);
      expect(deep.find(({ name }) => name === 'inner/below.txt')?.entry?.path).toBe(
        '/home/user/watched/inner/below.txt',
      );
      await flatHandle.stop();
      await deepHandle.stop();
      await expect(sandbox.files.watchDir('nowhere', () => {})).rejects.toBeInstanceOf(FileNotFoundError);
    });

    test('signed URLs read and write, for as long as they say', async () => {
      await sandbox.files.write('signed.txt', 'by URL');
      const down = await sandbox.downloadUrl('signed.txt', { useSignatureExpiration: 60 });
      expect(await (await fetch(down)).text()).toBe('by URL');
      const up = await sandbox.uploadUrl('uploaded.txt', { useSignatureExpiration: 60 });
      const form = new FormData();
      form.append('file', new Blob(['uploaded']), 'ignored.txt');
      expect((await fetch(up, { method: 'POST', body: form })).status).toBe(200);
      expect(await sandbox.files.read('uploaded.txt')).toBe('uploaded');

      const late = await fetch(await sandbox.downloadUrl('signed.txt', { useSignatureExpiration: -1 }));
      expect([late.status, await late.json()]).toEqual([401, { code: 401, message: 'signature is already expired' }]);
      const other = new URL(down);
      other.searchParams.set('path', 'uploaded.txt');
      expect((await fetch(other)).ok).toBe(false);
      expect((await fetch(down, { method: 'POST', body: form })).ok).toBe(false);
    });

    test('a pause keeps the files; a snapshot copies them', async () => {
      const origin = await Sandbox.create(connection);
      await origin.files.write('kept.txt', 'before');
      await origin.pause();
      expect(await origin.isRunning()).toBe(false);
      const back = await Sandbox.connect(origin.sandboxId, connection);
      expect(await back.files.read('kept.txt')).toBe('before');
      const snapshot = await back.createSnapshot();
      await back.files.write('kept.txt', 'after');
      const copy = await Sandbox.create(snapshot.snapshotId, connection);
      expect(await copy.files.read('kept.txt')).toBe('before');
      expect((await copy.commands.run('cat kept.txt')).stdout).toBe('before');
      await Promise.all([back.kill(), copy.kill()]);
    });
  });
}
