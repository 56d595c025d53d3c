// Splits text into search terms, the same way for the index and for queries. Pure, and without Node: runs in the guest.

/** Words that do not help to find an operation. */
const SILENT = new Set(
  (
    'a an the of for to in on at by with from into onto over is are was be been being do does did can could should would will shall may might must ' +
    'how what when where who why i me my we us our you your it its this that these those there here and or but if then so as than ' +
    'want need like please way some any one api endpoint operation call method function use using give tell let have has had got about me s t make all'
  ).split(' '),
);

/** `GET /v2/sandboxes/{sandboxID}` -> get, sandbox, sandbox, id: in order, with duplicates. */
export function termsOf(text: string): string[] {
  return text
    .slice(0, 2_000)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9\u00c0-\uffff]+/)
    .filter(word => word !== '' && !/^v\d$/.test(word))
    .map(stem);
}

/**
 * Terms of a query without filler words and words of the API's title; all terms if nothing else is left.
 */
export function questionTerms(text: string, title = ''): string[] {
  const named = new Set(title.toLowerCase().split(/\s+/));
  const words = text.slice(0, 2_000).replace(/['’]/g, '');
  const telling = words.split(/\s+/).filter(word => {
    const plain = word.toLowerCase().replace(/[^a-z0-9]/g, '');
    return !SILENT.has(plain) && !named.has(plain);
  });
  const terms = termsOf(telling.join(' '));
  return [...new Set(terms.length > 0 ? terms : termsOf(words))].slice(0, 24);
}

/** Reduces plural, -ing and -ed forms to one stem. Crude, but the same for index and query. */
function stem(word: string): string {
  let out = word;
  if (out.length > 4 && out.endsWith('ies')) out = `${out.slice(0, -3)}y`;
  else if (out.length > 4 && /(?:x|ch|sh|ss|zz)es$/.test(out)) out = out.slice(0, -2);
  else if (out.length > 3 && /[^su]s$/.test(out)) out = out.slice(0, -1);
  if (out.length > 5 && out.endsWith('ing')) out = single(out.slice(0, -3));
  else if (out.length > 4 && out.endsWith('ed')) out = single(out.slice(0, -2));
  return out.length > 3 && out.endsWith('e') ? out.slice(0, -1) : out;
}

/** running -> runn -> run, but kill stays. */
function single(word: string): string {
  return /([bdgmnprt])\1$/.test(word) ? word.slice(0, -1) : word;
}
