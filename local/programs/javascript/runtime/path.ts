// Node's path, POSIX only.

export const sep = '/';
export const delimiter = ':';
let cwd: () => string = () => '/';

export function useCwd(of: () => string): void {
  cwd = of;
}

export function normalize(path: string): string {
  if (path === '') return '.';
  const absolute = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!absolute) parts.push('..');
  }
  const text = (absolute ? '/' : '') + parts.join('/') + (path.endsWith('/') && parts.length > 0 ? '/' : '');
  return text === '' ? '.' : text;
}

export function join(...parts: string[]): string {
  return normalize(parts.filter(part => part !== '').join('/'));
}

export function resolve(...parts: string[]): string {
  let path = '';
  for (const part of [cwd(), ...parts]) path = part.startsWith('/') ? part : part === '' ? path : `${path}/${part}`;
  const whole = normalize(path);
  return whole.length > 1 ? whole.replace(/\/$/, '') : whole;
}

export function dirname(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  const at = trimmed.lastIndexOf('/');
  return at === -1 ? '.' : at === 0 ? '/' : trimmed.slice(0, at);
}

export function basename(path: string, suffix = ''): string {
  const name = path.replace(/\/+$/, '').split('/').at(-1) ?? '';
  return suffix !== '' && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

export function extname(path: string): string {
  const name = basename(path);
  const at = name.lastIndexOf('.');
  return at <= 0 ? '' : name.slice(at);
}

export function isAbsolute(path: string): boolean {
  return path.startsWith('/');
}

export function relative(from: string, to: string): string {
  const a = resolve(from).split('/').filter(Boolean);
  const b = resolve(to).split('/').filter(Boolean);
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same += 1;
  return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('/');
}

export function parse(path: string): { root: string; dir: string; base: string; ext: string; name: string } {
  const base = basename(path);
  const ext = extname(path);
  const dir = path.includes('/') ? dirname(path) : '';
  return {
    root: path.startsWith('/') ? '/' : '',
    dir,
    base,
    ext,
    name: ext === '' ? base : base.slice(0, -ext.length),
  };
}

export function format({ dir, base, name, ext }: { dir?: string; base?: string; name?: string; ext?: string }): string {
  const file = base ?? `${name ?? ''}${ext ?? ''}`;
  return dir === undefined || dir === '' ? file : `${dir}/${file}`;
}
