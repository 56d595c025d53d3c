// State between JavaScript cells, as E2B's Node kernel keeps it.
import { Sandbox } from '@e2b/code-interpreter';
import { expect, it } from 'vitest';
import { startCloud } from './support/data.ts';

it('a const that is declared again in a later cell is an error in Node’s words, and keeps its value', async () => {
  const { local, connection } = await startCloud('virtual');
  const sandbox = await Sandbox.create(connection);
  await sandbox.runCode('const kept = 1', { language: 'js' });
  const again = await sandbox.runCode('const kept = 2', { language: 'js' });
  expect(again.error).toMatchObject({ name: 'SyntaxError', value: "Identifier 'kept' has already been declared" });
  expect((await sandbox.runCode('kept', { language: 'js' })).text).toBe('1');
  await local.close();
});
