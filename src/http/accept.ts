// Decides from the Accept header whether a client gets JSON or an event stream. Pure.

/** `any`: JSON, or an event stream if the client asked for progress. `json` and `stream`: only this form is accepted. */
export type AnswerForm = 'any' | 'json' | 'stream';

/**
 * A missing header and wildcards accept both forms. Undefined: the client accepts neither.
 * Parameters other than `q=0` are ignored.
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
