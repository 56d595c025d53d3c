// Shows untrusted text with visible control characters. Of long text only the beginning is rendered at first.
import { useState } from 'preact/hooks';
import { visible } from '../answer.ts';
import { CopyButton } from '../parts/parts.tsx';

const MAX_CHARS = 100_000;

export function TextBox({ name, text }: { name: string; text: string }) {
  const [whole, setWhole] = useState(false);
  const shown = whole ? text : text.slice(0, MAX_CHARS);
  return (
    <div class="code">
      <pre class="wrap" tabIndex={0} role="region" aria-label={name}>
        {visible(shown)}
      </pre>
      <div class="row">
        <CopyButton text={text} />
        {shown.length < text.length && (
          <button type="button" class="small" onClick={() => setWhole(true)}>
            {`Show all ${text.length.toLocaleString('en')} characters`}
          </button>
        )}
      </div>
    </div>
  );
}
