// Collects hints for the agent although nothing failed; each text appears once in the note of the result.
import * as is from './intrinsics.ts';

const MAX_NOTES = 6;
const notes = new is.MapCtor<string, true>();

export function addNote(text: string): void {
  if (is.mapSize(notes) < MAX_NOTES) is.mapSet(notes, text, true);
}

export function takeNotes(): string {
  let all = '';
  is.mapForEach(notes, (_, text) => {
    all += all === '' ? text : ` ${text}`;
  });
  is.mapClear(notes);
  return all;
}
