// The internals of quickjs-wasi that the engine relies on: a new version must pass these tests before it is used.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { USED_EXPORTS } from '../../src/engine/quickjs/exports.ts';
import { type Hooks, loadQuickjsModule, Vm } from '../../src/engine/quickjs/vm.ts';

const module = loadQuickjsModule();
const HOST_IMPORTS = [
  'env.host_get_timezone_offset',
  'env.host_interrupt',
  'env.host_promise_rejection',
  'env.host_module_normalize',
  'env.host_module_load',
  'env.host_call',
  'wasi_snapshot_preview1.clock_time_get',
  'wasi_snapshot_preview1.fd_close',
  'wasi_snapshot_preview1.fd_fdstat_get',
  'wasi_snapshot_preview1.fd_seek',
  'wasi_snapshot_preview1.fd_write',
  'wasi_snapshot_preview1.random_get',
];

function boot(send: Hooks['send'] = () => undefined): Vm {
  const vm = new Vm(module, { interrupt: () => false, send, importMessage: name => `no ${name}` });
  vm.boot(256 * 1024);
  return vm;
}

describe('quickjs-wasi', () => {
  it('is pinned to the version that was tested', () => {
    const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    const installed = createRequire(import.meta.url)('quickjs-wasi/package.json') as { version: string };
    expect(dependencies['quickjs-wasi']).toBe('3.6.2');
    expect(installed.version).toBe('3.6.2');
  });

  it('exports everything that is used', () => {
    const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
    expect(USED_EXPORTS.filter(name => !names.has(name))).toEqual([]);
  });

  it('imports only the known host functions', () => {
    const names = WebAssembly.Module.imports(module).map(found => `${found.module}.${found.name}`);
    expect(names.sort()).toEqual([...HOST_IMPORTS].sort());
  });

  it('has all of its state in linear memory, its stack pointer and two pointers', () => {
    const vm = boot();
    vm.eval('globalThis.counter = 1', 'a.js');
    const { exports } = vm;
    const saved = Buffer.from(vm.memory);
    const [stack, runtime, context] = [
      exports.__stack_pointer.value,
      exports.qjs_get_runtime_ptr(),
      exports.qjs_get_context_ptr(),
    ];
    vm.eval('counter = 99; Promise.resolve().then(() => { counter = 100 })', 'b.js');

    const other = boot();
    other.growTo(saved.length);
    other.memory.set(saved);
    other.exports.__stack_pointer.value = stack;
    other.exports.qjs_set_runtime_and_context(runtime, context);
    expect(other.text(other.eval('String(counter)', 'c.js'))).toBe('1');
    expect(other.runJob()).toBe(false);
  });

  it('passes three arguments to the host function and returns its result', () => {
    const received: unknown[] = [];
    const vm = boot((kind, id, payload) => {
      received.push([kind, id, payload.toString()]);
      return 'é';
    });
    vm.setGlobal('send', vm.hostFunction('send'));
    expect(vm.text(vm.eval('send(1, 2, "\\u65e5")', 'a.js'))).toBe('é');
    expect(received).toEqual([[1, 2, '日']]);
    vm.eval('send("not", "enough")', 'a.js');
    expect(received).toHaveLength(1);
  });

  it('reports a thrown error with name, message and place', () => {
    const vm = boot();
    expect(() => vm.eval('\n null.x', 'a.js')).toThrowError(
      expect.objectContaining({
        thrown: expect.objectContaining({ name: 'TypeError', stack: expect.stringMatching(/a\.js:2:/) }),
      }),
    );
  });

  it('counts its allocations against the limit', () => {
    const vm = boot();
    vm.exports.qjs_set_memory_limit(8 << 20);
    expect(() => vm.eval('const k = []; for (;;) k.push("x".repeat(1e5) + k.length)', 'a.js')).toThrow('out of memory');
    expect(vm.memory.length).toBeLessThan(16 << 20);
  });
});
