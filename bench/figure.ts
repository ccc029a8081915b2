/** One row of the table. */
export interface Figure {
  readonly name: string;
  readonly figure: string;
  /** Absent: printed for orientation. */
  readonly target?: string;
  readonly met?: boolean;
  /** What the figure was made from. */
  readonly detail?: string;
}

export interface Bound {
  readonly atMost?: number;
  readonly below?: number;
  readonly atLeast?: number;
}

/** A measured number against its target; `show` writes both. */
export function judged(
  name: string,
  {
    value,
    show,
    detail,
  }: { readonly value: number; readonly show: (value: number) => string; readonly detail?: string },
  bound: Bound,
): Figure {
  const { atMost, below, atLeast } = bound;
  const targets = [
    ...(atMost === undefined ? [] : [{ text: `≤ ${show(atMost)}`, met: value <= atMost }]),
    ...(below === undefined ? [] : [{ text: `< ${show(below)}`, met: value < below }]),
    ...(atLeast === undefined ? [] : [{ text: `≥ ${show(atLeast)}`, met: value >= atLeast }]),
  ];
  return {
    name,
    figure: show(value),
    target: targets.map(({ text }) => text).join(', '),
    met: targets.every(({ met }) => met),
    ...(detail === undefined ? {} : { detail }),
  };
}

export const times = (value: number): string => `${value.toFixed(2)}x`;
export const percent = (value: number): string => `${(value * 100).toFixed(0)} %`;
export const millis = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
export const perSecond = (value: number): string => `${Math.round(value)}/s`;
export const mebibytes = (value: number): string => `${(value / 1024 ** 2).toFixed(2)} MiB`;
