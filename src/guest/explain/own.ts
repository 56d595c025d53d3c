// Whether names out of an error, which are the guest's word, are the agent's own. Pure.

const CHAIN = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*$/;

/** Names joined by dots that are in the agent's code in this form. */
export function isOwnChain(chain: string, text: string): boolean {
  if (!CHAIN.test(chain)) return false;
  for (let at = text.indexOf(chain); at !== -1; at = text.indexOf(chain, at + 1))
    if (!/[\w$.]/.test(text[at - 1] ?? '') && !/[\w$]/.test(text[at + chain.length] ?? '')) return true;
  return false;
}
