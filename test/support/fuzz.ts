// How much is tried at random: a little in `pnpm test`, far more where FUZZ_SECONDS is set (`pnpm fuzz`, CI).
const asked = process.env['FUZZ_SECONDS'];

export const FUZZING = asked !== undefined;

export const fuzzSeconds = (usual: number): number => (asked === undefined ? usual : Number(asked));

/** Rounds of a property that ends by number, not by time. */
export const fuzzRounds = (usual: number): number => (FUZZING ? usual * 10 : usual);

/** For a property that is tried `fuzzRounds` times. */
export const FUZZ_TIMEOUT_MS = 180_000;
