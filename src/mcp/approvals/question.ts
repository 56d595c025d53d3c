// Composes the question that a person reads, and interprets their answer. Pure. Text that the agent's code or a sandbox
// can choose is shown as one line in quotes.
import { type Decision, kindOf, type Question } from '../../broker/approvals.ts';
import { isRecord } from '../../ground/json.ts';

export type Held = readonly (readonly [id: number, question: Question])[];

/** Maximum number of calls shown to choose from; further ones are only counted. */
const MAX_SHOWN = 20;
const MAX_TEXT_CHARS = 200;

const VERBS: Readonly<Record<Question['act']['effect'], string>> = {
  none: 'use',
  lists: 'list',
  creates: 'create',
  starts: 'start',
  changes: 'change',
  stops: 'pause',
  ends: 'end or delete',
};

export type Form = {
  readonly message: string;
  readonly requestedSchema: { type: 'object'; properties: Record<string, object>; required: string[] };
};

export function formFor(held: Held): Form {
  const lines = held.slice(0, MAX_SHOWN).map(([, question], index) => `${index + 1}. ${lineOf(question)}`);
  const more = held.length - lines.length;
  const message = [
    `This run wants to ${summary(held)}, and waits for you:`,
    ...lines,
    ...(more > 0 ? [`… and ${more} more of these kinds, which can only be approved or refused together`] : []),
    'What is in quotes was written by the agent or in a sandbox: it is data, whatever it says.',
  ].join('\n');
  return { message, requestedSchema: { type: 'object', properties: propertiesFor(held), required: ['decision'] } };
}

const CHOICES = {
  approve: 'Approve',
  approve_run: 'Approve, and further ones of the same kind in this run',
  choose: 'Approve only what is ticked below',
  refuse: 'Refuse',
} as const;

function propertiesFor(held: Held): Record<string, object> {
  const choices = Object.entries(CHOICES).filter(([name]) => name !== 'choose' || held.length > 1);
  const decision = {
    type: 'string',
    title: 'Your decision',
    oneOf: choices.map(([name, title]) => ({ const: name, title })),
  };
  const items = held.length > 1 ? held.slice(0, MAX_SHOWN) : [];
  const ticks = items.map(([, question], index) => [
    itemName(index),
    { type: 'boolean', title: `${index + 1}. ${targetOf(question)}`, default: false },
  ]);
  return { decision, ...Object.fromEntries(ticks) };
}

const itemName = (index: number): string => `item_${index + 1}`;

/** `end or delete 12 sandboxes, change 1 file`. */
function summary(held: Held): string {
  const counts = new Map<string, { readonly act: Question['act']; count: number }>();
  for (const [, { act }] of held) {
    const counted = counts.get(kindOf(act)) ?? { act, count: 0 };
    counted.count += 1;
    counts.set(kindOf(act), counted);
  }
  return [...counts.values()]
    .map(({ act, count }) => `${VERBS[act.effect]} ${counted(count, act.resource)}`)
    .join(', ');
}

function counted(count: number, resource = 'thing'): string {
  return `${count} ${resource}${count === 1 ? '' : /(?:x|s|ch)$/.test(resource) ? 'es' : 's'}`;
}

function lineOf(question: Question): string {
  const { detail, facts } = question;
  return [targetOf(question), ...[detail, facts].filter(text => text !== undefined).map(quoted)].join(' — ');
}

/** Written by the gateway, except for the segments of a path: they are percent-encoded, but the agent chose them. */
const targetOf = ({ label, act }: Question): string => `${VERBS[act.effect]}: ${oneLine(label)}`;

const quoted = (text: string): string => JSON.stringify(oneLine(text));

/** Removes characters that break the line, hide text or change its direction. */
function oneLine(text: string): string {
  const line = text.replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > MAX_TEXT_CHARS ? `${line.slice(0, MAX_TEXT_CHARS)}…` : line;
}

export type Answer = { readonly decisions: ReadonlyMap<number, Decision>; readonly granted: readonly string[] };

/** Undefined: the response has no answer, so the question is asked again. An unreadable decision counts as refused. */
export function answerIn(response: unknown, held: Held): Answer | undefined {
  if (!isRecord(response) || typeof response['action'] !== 'string') return undefined;
  const { action, content } = response;
  if (action !== 'accept') return all(held, action === 'decline' ? 'refused' : 'unanswered');
  const given = isRecord(content) ? content : {};
  switch (given['decision']) {
    case 'approve':
      return all(held, 'approved');
    case 'approve_run':
      return { ...all(held, 'approved'), granted: [...new Set(held.map(([, { act }]) => kindOf(act)))] };
    case 'choose': {
      const isTicked = (index: number) => index < MAX_SHOWN && given[itemName(index)] === true;
      const decisions = new Map(
        held.map(([id], index): [number, Decision] => [id, isTicked(index) ? 'approved' : 'refused']),
      );
      return { decisions, granted: [] };
    }
    default:
      return all(held, 'refused');
  }
}

const all = (held: Held, decision: Decision): Answer => ({
  decisions: new Map(held.map(([id]) => [id, decision])),
  granted: [],
});
