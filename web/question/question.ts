// Questions to the person from a run that waits, and their answers. Knows no views.
import { createStore } from '../store.ts';

export type Reply = { readonly action: 'accept' | 'cancel'; readonly content?: Record<string, string | boolean> };

export type Question = {
  readonly message: string;
  readonly choices: readonly { readonly value: string; readonly title: string }[];
  /** Calls that can be ticked one by one. */
  readonly items: readonly { readonly name: string; readonly title: string }[];
  readonly answer: (reply: Reply) => void;
};

/** The open questions. The page shows the first. */
export const questions = createStore<readonly Question[]>([]);

/** `form`: the parameters of `elicitation/create`, as this gateway writes them. */
export function ask(form: unknown): Promise<Reply> {
  return new Promise(resolve => {
    const question: Question = {
      ...readForm(form),
      answer(reply) {
        questions.set(now => now.filter(other => other !== question));
        resolve(reply);
      },
    };
    questions.set(now => [...now, question]);
  });
}

type Field = {
  readonly type?: string;
  readonly title?: string;
  readonly oneOf?: readonly { const: string; title: string }[];
};

function readForm(form: unknown): Omit<Question, 'answer'> {
  const { message = '', requestedSchema } = form as {
    message?: string;
    requestedSchema?: { properties?: Record<string, Field> };
  };
  const { decision, ...rest } = requestedSchema?.properties ?? {};
  return {
    message,
    choices: (decision?.oneOf ?? []).map(({ const: value, title }) => ({ value, title })),
    items: Object.entries(rest).map(([name, { title = name }]) => ({ name, title })),
  };
}
