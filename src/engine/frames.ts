// Positions out of a stack as QuickJS and V8 write it, in the agent's own numbers. The text is the guest's word: parsed,
// never trusted.
import { CODE_FILE } from './protocol.ts';

export type Frame = { readonly line: number; readonly column: number; readonly text: string };

const FRAME = new RegExp(
  `^\\s*at (?:async )?(?:(.{0,200}?) \\()?${CODE_FILE.replace('.', '\\.')}:(\\d{1,7}):(\\d{1,7})\\)?$`,
);
const MAX_FRAMES = 20;
const UNNAMED = ['<anonymous>', '<eval>', 'eval'];

/** Frames in the agent's code, innermost first. Columns are those of the text as evaluated, see GuestError. */
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

/** The innermost frame is not the agent's: what its code called threw. */
export function threwElsewhere(stack: string): boolean {
  const innermost = stack.split('\n', 20).find(text => /^\s*at /.test(text));
  return innermost !== undefined && !FRAME.test(innermost);
}
