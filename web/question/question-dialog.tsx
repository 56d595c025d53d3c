// Shows the question of a run that waits, on every tab.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Code } from '../parts/parts.tsx';
import { useStore } from '../store.ts';
import { type Question, questions } from './question.ts';

export function Questions() {
  const [first] = useStore(questions);
  return first === undefined ? null : <QuestionDialog key={first.message} question={first} />;
}

function QuestionDialog({ question: { message, choices, items, answer } }: { question: Question }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [ticked, setTicked] = useState<Readonly<Record<string, boolean>>>({});
  useEffect(() => dialog.current?.showModal(), []);
  const decide = (decision: string) => answer({ action: 'accept', content: { decision, ...ticked } });
  return (
    <dialog ref={dialog} onClose={() => answer({ action: 'cancel' })} aria-labelledby="question-title">
      <h3 id="question-title">The run asks before it goes on</h3>
      <Code name="Question" text={message} />
      {items.map(({ name, title }) => (
        <label key={name} class="tick">
          <input
            type="checkbox"
            checked={ticked[name] === true}
            onChange={event => {
              const { checked } = event.currentTarget;
              setTicked(now => ({ ...now, [name]: checked }));
            }}
          />{' '}
          {title}
        </label>
      ))}
      <div class="row">
        {choices.map(({ value, title }) => (
          <button
            key={value}
            type="button"
            class={value === 'refuse' ? undefined : 'danger'}
            onClick={() => decide(value)}
          >
            {title}
          </button>
        ))}
      </div>
    </dialog>
  );
}
