// Shows the outcome of a run: the result as a tree, console, calls and files, or the text exactly as a model gets it.
import { useMemo, useState } from 'preact/hooks';
import { jsonIn, partOf, takeApart } from '../answer.ts';
import type { Answer } from '../mcp.ts';
import { Notice } from '../parts/parts.tsx';
import { Blocks } from './blocks.tsx';
import { Charts } from './charts.tsx';
import { TextBox } from './text-box.tsx';
import { type Report, Timeline } from './timeline.tsx';
import { Tree } from './tree.tsx';

type Props = { readonly answer: Answer; readonly reports: readonly Report[]; readonly ms: number };

const VIEWS = [
  ['people', 'Result'],
  ['model', 'What the model sees'],
] as const;

export function Output({ answer, reports, ms }: Props) {
  const [view, setView] = useState<'people' | 'model'>('people');
  return (
    <>
      <div class="row">
        <p class={`grow state ${answer.isError ? 'bad-text' : 'good-text'}`} role="status">
          <strong>{answer.isError ? 'Failed' : 'Done'}</strong>
          <span class="soft">{` in ${(ms / 1_000).toFixed(2)} s`}</span>
        </p>
        <div class="choice" role="group" aria-label="View">
          {VIEWS.map(([name, title]) => (
            <button key={name} type="button" aria-pressed={view === name} onClick={() => setView(name)}>
              {title}
            </button>
          ))}
        </div>
      </div>
      {view === 'model' ? (
        <TextBox name="What the model sees" text={answer.text} />
      ) : (
        <ForPeople answer={answer} reports={reports} ms={ms} />
      )}
    </>
  );
}

function ForPeople({ answer, reports }: Props) {
  const taken = useMemo(() => takeApart(answer.text), [answer.text]);
  const result = partOf(taken, 'result') ?? '';
  const json = useMemo(() => (answer.isError ? undefined : jsonIn(result)), [answer.isError, result]);
  const consoleParts = taken.parts.filter(({ name }) => ['stdout', 'stderr', 'display', 'note'].includes(name));
  return (
    <>
      {result !== '' && (
        <section aria-label={answer.isError ? 'Error' : 'Result'}>
          {json === undefined ? (
            <TextBox name={answer.isError ? 'Error text' : 'Result text'} text={result} />
          ) : (
            <Tree value={json.value} />
          )}
        </section>
      )}
      {taken.hints !== '' && (
        <Notice kind={answer.isError ? 'warn' : 'plain'} title="The gateway adds">
          <p class="pre">{taken.hints}</p>
        </Notice>
      )}
      {json !== undefined && <Charts value={json.value} />}
      <Blocks blocks={answer.blocks} />
      {consoleParts.map(({ name, text }) => (
        <section key={name} aria-label={name}>
          <h3>{name}</h3>
          <TextBox name={`Text of ${name}`} text={text} />
        </section>
      ))}
      <Timeline reports={reports} ledger={partOf(taken, 'calls') ?? ''} />
    </>
  );
}
