// Makes names that clients gave themselves safe to show to a user. Pure.

const MAX_NAME_CHARS = 60;

/** The name as one line, without characters that are invisible or change the layout; may become empty. */
export function cleanName(name: string): string {
  const visible = name
    .normalize('NFKC')
    .replace(/[\p{C}\p{Zl}\p{Zp}\u{115F}\u{1160}\u{3164}\u{2800}]/gu, ' ')
    .replace(/\p{M}{3,}/gu, '')
    .replace(/\s+/gu, ' ')
    .trim();
  const characters = [...visible];
  return characters.length <= MAX_NAME_CHARS ? visible : `${characters.slice(0, MAX_NAME_CHARS - 1).join('')}…`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, character => ENTITIES[character] ?? '');
