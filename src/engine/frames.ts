// Parses positions in the agent's code from a stack of QuickJS or V8. The text comes from the guest and is untrusted.
import { CODE_FILE } from './protocol.ts';

export type Frame = { readonly line: number; readonly column: number; readonly text: string };

const FRAME = new RegExp(
  `^\\s*at (?:async )?(?:(.{0,200}?) \\()?${CODE_FILE.replace('.', '\\.')}:(\\d{1,7}):(\\d{1,7})\\)?$`,
);
const MAX_FRAMES = 20;
const UNNAMED = ['<anonymous>', '<eval>', 'eval'];

/** The frames in the agent's code, innermost first. Columns are those of the evaluated text, see GuestError. */
export function guestFrames(stack: string): Frame[] {
  const frames: Frame[] = [];
  for (const text of stack.split('\n')) {
    const [match, name, line, column] = FRAME.exec(text) ?? [];
    if (match === undefined) continue;
    const place = `line ${line}`;
    const named = name !== undefined && !UNNAMED.includes(name);
    frames.push({
      line: Number(line),
      column: Number(column),
      text: named ? `    at ${name} (${place})` : `    at ${place}`,
    });
    if (frames.length === MAX_FRAMES) break;
  }
  return frames;
}

/** Whether the innermost frame is not in the agent's code: a function that the code called has thrown. */
export function threwElsewhere(stack: string): boolean {
  const innermost = stack.split('\n', 20).find(text => /^\s*at /.test(text));
  return innermost !== undefined && !FRAME.test(innermost);
}
