// What interpreters print, in large amounts: all of it arrives, in order, and the interpreter and its host stay in step.
import { Sandbox } from '@e2b/code-interpreter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCloud } from './support/data.ts';

/** On a busy machine. */
const PATIENT_MS = 60_000;
const numbers = (count: number): string => Array.from({ length: count }, (_, at) => `${at}\n`).join('');

describe('printing', () => {
  let sandbox: Sandbox;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const { local, connection } = await startCloud('virtual');
    close = () => local.close();
    sandbox = await Sandbox.create(connection);
  });
  afterAll(() => close());

  const python = (lines: number) => `for i in range(${lines}): print(i)`;
  const javascript = (lines: number) => `for (let i = 0; i < ${lines}; i += 1) console.log(i)`;

  test.each([
    ['python', 30_000, python],
    ['js', 3_000, javascript],
  ])(
    'a %s cell of %i printed lines arrives, and the next cell is answered',
    async (language, lines, code) => {
      const run = await sandbox.runCode(code(lines), { language, timeoutMs: PATIENT_MS });
      expect(run.error).toBeUndefined();
      expect(run.logs.stdout.join('') === numbers(lines)).toBe(true);
      expect((await sandbox.runCode('"next"', { language })).text).toBe('next');
    },
    PATIENT_MS,
  );

  test.each([
    ['python3 -c', 30_000, python],
    ['node -e', 3_000, javascript],
  ])(
    'a command %s of %i printed lines arrives',
    async (program, lines, code) => {
      const { stdout } = await sandbox.commands.run(`${program} '${code(lines)}'`, { timeoutMs: PATIENT_MS });
      expect(stdout === numbers(lines)).toBe(true);
    },
    PATIENT_MS,
  );

  test('what a program prints last arrives, however it ends', async () => {
    const run = (code: string) => sandbox.commands.run(`python3 -c '${code}' || true`);
    expect((await run('import os; print("last"); os._exit(0)')).stdout).toBe('last\n');
    expect((await run('import sys; print("last"); sys.exit(3)')).stdout).toBe('last\n');
    expect((await run('print("last"); raise ValueError("end")')).stderr).toMatch(/ValueError: end\n$/);
    expect((await sandbox.commands.run(`node -e 'console.log("last"); process.exit(0)'`)).stdout).toBe('last\n');
  });

  test('one piece of several megabytes arrives whole, and files written between prints are in step', async () => {
    const code = 'print("x" * 5_000_000); open("step", "w").write("2"); print(open("step").read())';
    const run = await sandbox.runCode(code, { timeoutMs: 60_000 });
    expect(run.logs.stdout.join('').length).toBe(5_000_003);
    expect(run.logs.stdout.join('').slice(-4)).toBe('x\n2\n');
  });

  test('an endless printer is interrupted, and its context lives on', async () => {
    await sandbox.runCode('kept = 1');
    const endless = sandbox.runCode('while True: print("more" * 1000)', { timeoutMs: 500 });
    await expect(endless).rejects.toThrow();
    expect((await sandbox.runCode('kept')).text).toBe('1');
  });
});
