// URL and URLSearchParams, which a bare JavaScript context does not have. A separate script: the embedded engine has it in
// its image, and the microVM's runner evaluates it when the agent's code first uses one of them.
import URL from 'core-js-pure/stable/url/index.js';
import URLSearchParams from 'core-js-pure/stable/url-search-params/index.js';

// Without toJSON, a result would show it as {}.
Object.defineProperty(URLSearchParams.prototype, 'toJSON', {
  value(this: URLSearchParams) {
    return String(this);
  },
  writable: true,
  configurable: true,
});
for (const [name, value] of Object.entries({ URL, URLSearchParams }))
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
// The global in which core-js keeps its state; its modules have their own reference to it.
delete (globalThis as { '__core-js_shared__'?: unknown })['__core-js_shared__'];
