// Evaluated first in the guest's context: levels it with the embedded engine's. Adds what that has and the template's
// Node may not have yet, takes away what it has not. Node's own implementation wins where there is one.
import 'core-js/modules/es.array.from-async.js';
import 'core-js/modules/es.async-disposable-stack.constructor.js';
import 'core-js/modules/es.data-view.get-float16.js';
import 'core-js/modules/es.data-view.set-float16.js';
import 'core-js/modules/es.disposable-stack.constructor.js';
import 'core-js/modules/es.error.is-error.js';
import 'core-js/modules/es.iterator.concat.js';
import 'core-js/modules/es.iterator.constructor.js';
import 'core-js/modules/es.iterator.dispose.js';
import 'core-js/modules/es.iterator.drop.js';
import 'core-js/modules/es.iterator.every.js';
import 'core-js/modules/es.iterator.filter.js';
import 'core-js/modules/es.iterator.find.js';
import 'core-js/modules/es.iterator.flat-map.js';
import 'core-js/modules/es.iterator.for-each.js';
import 'core-js/modules/es.iterator.from.js';
import 'core-js/modules/es.iterator.map.js';
import 'core-js/modules/es.iterator.reduce.js';
import 'core-js/modules/es.iterator.some.js';
import 'core-js/modules/es.iterator.take.js';
import 'core-js/modules/es.iterator.to-array.js';
import 'core-js/modules/es.map.get-or-insert-computed.js';
import 'core-js/modules/es.map.get-or-insert.js';
import 'core-js/modules/es.map.group-by.js';
import 'core-js/modules/es.math.f16round.js';
import 'core-js/modules/es.math.sum-precise.js';
import 'core-js/modules/es.object.group-by.js';
import 'core-js/modules/es.promise.try.js';
import 'core-js/modules/es.promise.with-resolvers.js';
import 'core-js/modules/es.regexp.escape.js';
import 'core-js/modules/es.set.difference.v2.js';
import 'core-js/modules/es.set.intersection.v2.js';
import 'core-js/modules/es.set.is-disjoint-from.v2.js';
import 'core-js/modules/es.set.is-subset-of.v2.js';
import 'core-js/modules/es.set.is-superset-of.v2.js';
import 'core-js/modules/es.set.symmetric-difference.v2.js';
import 'core-js/modules/es.set.union.v2.js';
import 'core-js/modules/es.string.is-well-formed.js';
import 'core-js/modules/es.string.to-well-formed.js';
import 'core-js/modules/es.suppressed-error.constructor.js';
import 'core-js/modules/es.symbol.async-dispose.js';
import 'core-js/modules/es.symbol.dispose.js';
import 'core-js/modules/es.uint8-array.from-base64.js';
import 'core-js/modules/es.uint8-array.from-hex.js';
import 'core-js/modules/es.uint8-array.set-from-base64.js';
import 'core-js/modules/es.uint8-array.set-from-hex.js';
import 'core-js/modules/es.uint8-array.to-base64.js';
import 'core-js/modules/es.uint8-array.to-hex.js';
import 'core-js/modules/web.atob.js';
import 'core-js/modules/web.btoa.js';
import 'core-js/modules/web.dom-exception.constructor.js';
import 'core-js/modules/web.dom-exception.stack.js';
import 'core-js/modules/web.dom-exception.to-string-tag.js';

const resolved = Promise.resolve();
const then = Promise.prototype.then.bind(resolved);

Object.defineProperty(globalThis, 'queueMicrotask', {
  value: function queueMicrotask(callback: () => void): void {
    if (typeof callback !== 'function') throw new TypeError('queueMicrotask needs a function');
    then(() => callback());
  },
  writable: true,
  configurable: true,
});

for (const name of ['Atomics', 'Intl', 'WebAssembly']) delete (globalThis as Record<string, unknown>)[name];
