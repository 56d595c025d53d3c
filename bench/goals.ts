// The performance goals: collects the measured values and compares each with its goal.

type Goal = { readonly what: string; readonly value: number; readonly unit: string; readonly goal: string };
const goals: Goal[] = [];

export const atMost = (what: string, value: number, most: number, unit = '×'): void => {
  goals.push({ what, value, unit, goal: `≤ ${most}${unit}${value <= most ? '' : '  missed'}` });
};

export const atLeast = (what: string, value: number, least: number, unit = '×'): void => {
  goals.push({ what, value, unit, goal: `≥ ${least}${unit}${value >= least ? '' : '  missed'}` });
};

export const goalRows = (): string[][] =>
  goals.map(({ what, value, unit, goal }) => [what, `${value.toFixed(value < 10 ? 2 : 0)}${unit}`, goal]);
