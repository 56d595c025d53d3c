// Output that goes to a file as well, as a script asks for it that begins with `exec > >(tee -a FILE) 2> >(tee -a FILE
// >&2)` and then puts a shell in its own place. just-bash runs process substitutions only once the script has ended, so
// this one form is taken out of the script. Pure.

const BOTH = String.raw`exec > >\((?:[^()]*; )?exec tee -a (\S+)\) 2> >\((?:[^()]*; )?exec tee -a \1 >&2\)`;
const COPIED = new RegExp(`^(?:command -v tee >/dev/null && )?${BOTH}; exec /bin/bash -l -c '(.*)'$`, 's');

export function withoutCopy(script: string): { readonly source: string; readonly copyTo?: string } {
  const [, copyTo, quoted] = COPIED.exec(script) ?? [];
  if (copyTo === undefined || quoted === undefined) return { source: script };
  return { source: quoted.replaceAll(`'\\''`, "'"), copyTo };
}
