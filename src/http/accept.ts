// What form of answer a client takes, from its Accept header. Pure.

/** `any`: a JSON body, or an event stream where the caller asked for progress. The others: this form only. */
export type AnswerForm = 'any' | 'json' | 'stream';

/**
 * No header and wildcards take both. Undefined: the client takes neither form.
 * Parameters other than `q=0` do not matter.
 */
export function answerFormFor(accept: string | undefined): AnswerForm | undefined {
  const types = (accept ?? '')
    .toLowerCase()
    .split(',', 50)
    .map(range => range.trim())
    .filter(range => range !== '' && !/;\s*q=0(?:\.0*)?\s*(?:;|$)/.test(range))
    .map(range => range.split(';', 1)[0]?.trim() ?? '');
  if (accept === undefined || accept.trim() === '' || types.includes('*/*')) return 'any';
  const json = types.some(type => type === 'application/*' || /^application\/(?:[\w.-]+\+)?json$/.test(type));
  const stream = types.includes('text/event-stream') || types.includes('text/*');
  if (json) return stream ? 'any' : 'json';
  return stream ? 'stream' : undefined;
}
