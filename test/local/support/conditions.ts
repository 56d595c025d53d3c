// Waiting for what is to come, without guessing how long it takes.

/** Polls until `ready` gives something other than undefined or false. */
export async function until<T>(ready: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (let left = 1000; left > 0; left -= 1) {
    const value = await ready();
    if (value !== undefined && value !== false) return value;
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  throw new Error('the condition did not come about');
}
