// The tab for people who want to connect their own client to this gateway.
import { useState } from 'preact/hooks';
import { Code, CopyButton, Notice } from '../parts/parts.tsx';
import { endpoint, isLoopback, settings } from '../settings.ts';
import { type Recipe, recipes } from './clients.ts';

const RECIPES = recipes({ endpoint, isLoopback, ...settings });

export function Connect() {
  const [chosen, choose] = useState(RECIPES[0]);
  return (
    <>
      <h2>Connect a client</h2>
      <p>
        {settings.title} for agents, through three tools: <code>search</code>, <code>execute_read</code> and{' '}
        <code>execute_write</code>. The agent writes one function; it runs in a sandbox without network and without your
        key.
      </p>
      <div class="address">
        <span class="label">MCP endpoint</span>
        <code>{endpoint}</code>
        <CopyButton text={endpoint} label="Copy address" />
      </div>
      <KeyHint />
      <div class="clients" role="group" aria-label="Client">
        {RECIPES.map(recipe => (
          <button key={recipe.id} type="button" aria-pressed={recipe === chosen} onClick={() => choose(recipe)}>
            {recipe.name}
          </button>
        ))}
      </div>
      {chosen && <Steps recipe={chosen} />}
    </>
  );
}

function KeyHint() {
  const { demoKey, keys } = settings;
  if (demoKey !== undefined)
    return (
      <Notice kind="plain" title="This is local mode: sandboxes are simulated in the gateway’s process.">
        <p>Any key of the right form works. Anybody may use this one:</p>
        <Code name="Demo key" text={`export E2B_API_KEY=${demoKey}`} />
      </Notice>
    );
  return keys ? (
    <p class="soft">
      The lines below read your key from <code>E2B_API_KEY</code>, so that it is in no file and no shell history.
    </p>
  ) : (
    <p class="soft">This gateway takes no keys from clients: they sign in.</p>
  );
}

function Steps({ recipe }: { recipe: Recipe }) {
  const { name, steps, link, impossible } = recipe;
  return (
    <section class="steps" aria-label={name} aria-live="polite">
      <h3>{name}</h3>
      {impossible !== undefined && (
        <Notice kind="warn" title="Not on this gateway">
          <p>{impossible}</p>
        </Notice>
      )}
      {link && (
        <p>
          <a class="button act" href={link.href}>
            {link.label}
          </a>
        </p>
      )}
      {steps.map(({ about, text }) => (
        <div key={about} class="step">
          <p>{about}</p>
          <Code name={about} text={text} />
        </div>
      ))}
    </section>
  );
}
