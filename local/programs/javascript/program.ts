// `node …`: one program in a vm, from its command line to its exit code.
import { JSException } from 'quickjs-wasi';
import type { CallHost } from '../operations.ts';
import { stripTypes } from '../strip-types.ts';
import { isModule } from './cell-syntax.ts';
import type { CommandLine } from './command-line.ts';
import type { Vm } from './vm.ts';

type Program = { readonly source: string; readonly file: string; readonly module: boolean };

export function runProgram(vm: Vm, call: CallHost, line: CommandLine, cwd: string): number {
  try {
    const { source, file, module } = programOf(call, line, cwd);
    const value = module
      ? vm.evaluate(source.replaceAll('import.meta.url', JSON.stringify(`file://${file}`)), file, 'module')
      : vm.call('runCommon', source, file);
    vm.call('watch', value).dispose();
    return untilDone(vm);
  } catch (caught) {
    if (vm.exitCode !== undefined) return vm.exitCode;
    if (caught instanceof JSException) vm.call('uncaught', caught.handle).dispose();
    else complain(call, caught);
    return 1;
  }
}

/** Until the program has failed or nothing is left to wait for. */
function untilDone(vm: Vm): number {
  do {
    vm.runJobs();
    if (vm.ask('state') === 'failed') {
      vm.call('uncaughtOutcome').dispose();
      return 1;
    }
    const { rejection } = vm;
    if (rejection !== undefined) {
      vm.call('uncaught', rejection).dispose();
      return 1;
    }
  } while (vm.exitCode === undefined && vm.ask('turn') === 'true');
  return vm.exitCode ?? Number(vm.ask('exitCode'));
}

function complain(call: CallHost, caught: unknown): void {
  const text = caught instanceof Error ? caught.message : String(caught);
  call('output', { kind: 'stderr', bytes: Buffer.from(`${text}\n`) });
}

function programOf(call: CallHost, line: CommandLine, cwd: string): Program {
  if (line.run === 'file') return fileProgram(call, absolute(line.file, cwd));
  if (line.run === 'stdin') {
    const source = stdin(call);
    return { source, file: `${cwd}/[stdin]`, module: isModule(source) };
  }
  const { code, prints } = line;
  const source = prints ? `console.log(eval(${JSON.stringify(code)}))` : code;
  return { source, file: `${cwd}/[eval]`, module: !prints && isModule(code) };
}

export function absolute(file: string, cwd: string): string {
  return file.startsWith('/') ? file : `${cwd.replace(/\/$/, '')}/${file.replace(/^\.\//, '')}`;
}

function fileProgram(call: CallHost, wanted: string): Program {
  const file = [wanted, `${wanted}.js`].find(path => isFile(call, path));
  if (file === undefined) throw new Error(`Error: Cannot find module '${wanted}'`);
  const text = Buffer.from(call('read', { path: file }))
    .toString('utf8')
    .replace(/^#!.*/, '');
  const stripped = /\.[mc]?ts$/.test(file) ? stripTypes(text) : { code: text };
  if ('error' in stripped) throw new Error(stripped.error);
  const module = file.endsWith('.mjs') || (!/\.c[jt]s$/.test(file) && isModule(stripped.code));
  return { source: stripped.code, file, module };
}

function isFile(call: CallHost, path: string): boolean {
  try {
    return call('stat', { path }).type === 'file';
  } catch {
    return false;
  }
}

function stdin(call: CallHost): string {
  const parts: Uint8Array[] = [];
  for (let part = call('stdin', {}); part !== null; part = call('stdin', {})) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
