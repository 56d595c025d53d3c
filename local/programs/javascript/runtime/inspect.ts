// How values look in logs and results: Node's util.inspect and util.format, taken out of Node. What a QuickJS without
// Atomics lacks for it is there while it loads.
import './atomics.ts';
import { format, inspect, stripVTControlCharacters } from 'node-inspect-extracted';

Reflect.deleteProperty(globalThis, 'Atomics');

export { format, inspect, stripVTControlCharacters };

/** A frame of ours is of no use to those who read a stack. */
const OURS = /\bruntime\/|<evalScript>|\(null:/;

/** Stacks as V8 writes them, with the error's name and message first. */
Object.assign(Error, {
  stackTraceLimit: 10,
  prepareStackTrace(error: Error, frames: readonly NodeJS.CallSite[]): string {
    const lines = frames.map(frame => `    at ${placeOf(frame)}`).filter(line => !OURS.test(line));
    return [headOf(error), ...lines].join('\n');
  },
});

function placeOf(frame: NodeJS.CallSite): string {
  const place = `${frame.getFileName()}:${frame.getLineNumber()}:${frame.getColumnNumber()}`;
  const name = frame.getFunctionName();
  return name === null || name === '' || name === '<eval>' ? place : `${name} (${place})`;
}

function headOf(error: Error): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return 'Error';
  }
}

export function showError(error: Error): string {
  const { stack } = error;
  return typeof stack === 'string' && stack !== '' ? stack : headOf(error);
}
