// Whether names in an error, which comes from the untrusted guest, are in the agent's code. Pure.

const CHAIN = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*$/;

/** Whether `chain` is names joined by dots that the agent's code contains in this form. */
export function isOwnChain(chain: string, text: string): boolean {
  if (!CHAIN.test(chain)) return false;
  for (let at = text.indexOf(chain); at !== -1; at = text.indexOf(chain, at + 1))
    if (!/[\w$.]/.test(text[at - 1] ?? '') && !/[\w$]/.test(text[at + chain.length] ?? '')) return true;
  return false;
}
