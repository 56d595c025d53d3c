// How values look in logs and results: Node's util.inspect and util.format, in short.

const MAX_DEPTH = 4;
const MAX_ITEMS = 100;
const LINE = 72;

export function inspect(value: unknown): string {
  return show(value, 0, []);
}

export function format(...values: unknown[]): string {
  const [first, ...rest] = values;
  if (typeof first !== 'string') return values.map(plain).join(' ');
  const text = first.replace(/%[sdifjoOc%]/g, directive => {
    if (directive === '%%') return '%';
    if (rest.length === 0) return directive;
    const value = rest.shift();
    if (directive === '%s') return typeof value === 'object' ? inspect(value) : String(value);
    if (directive === '%d' || directive === '%f') return String(Number(value));
    if (directive === '%i') return String(Math.trunc(Number(value)));
    if (directive === '%j') return JSON.stringify(value) ?? 'undefined';
    return directive === '%c' ? '' : inspect(value);
  });
  return [text, ...rest.map(plain)].join(' ');
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value);
}

function show(value: unknown, depth: number, above: readonly object[]): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol') return value.toString();
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'function') return showFunction(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (above.includes(value)) return '[Circular *1]';
  return showObject(value, depth, [...above, value]);
}

function showFunction(value: object & { name?: string }): string {
  const kind = /^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'Function';
  return value.name ? `[${kind}: ${value.name}]`.replace('class:', 'class') : `[${kind} (anonymous)]`;
}

function showObject(value: object, depth: number, path: readonly object[]): string {
  if (value instanceof Error) return showError(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof Promise) return 'Promise { <pending> }';
  const next = (item: unknown): string => show(item, depth + 1, path);
  const name =
    value.constructor?.name ?? (Object.getPrototypeOf(value) === null ? '[Object: null prototype]' : 'Object');
  if (depth > MAX_DEPTH) return Array.isArray(value) ? '[Array]' : `[${name}]`;
  if (Array.isArray(value)) return braces('[', limited(value, next), ']');
  if (value instanceof Map) {
    return braces(
      `Map(${value.size}) {`,
      limited(Array.from(value), ([key, item]) => `${next(key)} => ${next(item)}`),
      '}',
    );
  }
  if (value instanceof Set) return braces(`Set(${value.size}) {`, limited(Array.from(value), next), '}');
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const items = Array.from(value as unknown as ArrayLike<number | bigint>);
    if (name === 'Buffer')
      return `<Buffer ${items
        .slice(0, 50)
        .map(byte => byte.toString(16).padStart(2, '0'))
        .join(' ')}>`;
    return braces(`${name}(${items.length}) [`, limited(items, next), ']');
  }
  const entries = Reflect.ownKeys(value).filter(key => Object.prototype.propertyIsEnumerable.call(value, key));
  const shown = limited(entries, key => `${showKey(key)}: ${showProperty(value, key, next)}`);
  return braces(name === 'Object' ? '{' : `${name} {`, shown, '}');
}

function showProperty(value: object, key: PropertyKey, next: (item: unknown) => string): string {
  const descriptor = Object.getOwnPropertyDescriptor(value, key);
  if (descriptor?.get !== undefined) return descriptor.set === undefined ? '[Getter]' : '[Getter/Setter]';
  return next(descriptor?.value);
}

function showKey(key: PropertyKey): string {
  if (typeof key === 'symbol') return `[${key.toString()}]`;
  return /^[A-Za-z_$][\w$]*$/.test(String(key)) ? String(key) : quote(String(key));
}

/** QuickJS's stacks have no first line. */
export function showError(error: Error): string {
  const head = `${error.name}: ${error.message}`;
  const stack = String(error.stack ?? '')
    .split('\n')
    .filter(line => line !== '' && !/runtime\/|<evalScript>/.test(line));
  return stack[0]?.startsWith(head) === true ? stack.join('\n') : [head, ...stack].join('\n');
}

function limited<T>(items: readonly T[], showItem: (item: T) => string): string[] {
  const shown = items.slice(0, MAX_ITEMS).map(showItem);
  return items.length > MAX_ITEMS ? [...shown, `... ${items.length - MAX_ITEMS} more items`] : shown;
}

function braces(open: string, items: string[], close: string): string {
  if (items.length === 0) return open + close;
  const line = items.join(', ');
  if (line.length + open.length <= LINE && !line.includes('\n')) return `${open} ${line} ${close}`;
  return `${open}\n${items.map(item => `  ${item.replace(/\n/g, '\n  ')}`).join(',\n')}\n${close}`;
}

function quote(text: string): string {
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : '`';
  const escaped = JSON.stringify(text).slice(1, -1).replace(/\\"/g, '"');
  return mark + (mark === '"' ? escaped.replace(/"/g, '\\"') : escaped) + mark;
}
