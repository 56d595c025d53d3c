// URL and URLSearchParams, which no engine's bare context has. A script of its own: the embedded engine has it in its
// image, the microVM's runner evaluates it when the agent's code first asks for it.
import URL from 'core-js-pure/stable/url/index.js';
import URLSearchParams from 'core-js-pure/stable/url-search-params/index.js';

// A result shows it: in JSON it would be {}, as if it were empty.
Object.defineProperty(URLSearchParams.prototype, 'toJSON', {
  value(this: URLSearchParams) {
    return String(this);
  },
  writable: true,
  configurable: true,
});
for (const [name, value] of Object.entries({ URL, URLSearchParams }))
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
// Where core-js keeps its own state: its modules hold it, the agent's code has no use for it.
delete (globalThis as { '__core-js_shared__'?: unknown })['__core-js_shared__'];
