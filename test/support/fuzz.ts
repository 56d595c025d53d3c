// How long random tests run: briefly in `pnpm test`, much longer if FUZZ_SECONDS is set (`pnpm fuzz`, CI).
const asked = process.env['FUZZ_SECONDS'];

export const FUZZING = asked !== undefined;

export const fuzzSeconds = (usual: number): number => (asked === undefined ? usual : Number(asked));

/** The number of rounds of a property that is not limited by time. */
export const fuzzRounds = (usual: number): number => (FUZZING ? usual * 10 : usual);

/** The timeout of a property with `fuzzRounds` rounds. */
export const FUZZ_TIMEOUT_MS = 180_000;
