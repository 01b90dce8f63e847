/** Weights are whole: a log-odds of 1 becomes this many units. */
export const logOddsScale = 100;

/** How often a voter was right and wrong, by outcomes that somebody outside the vote has verified. */
export interface TrackRecord {
  readonly right: number;
  readonly wrong: number;
}

/** The mean of the Beta(2,2) posterior: how likely the voter is right next time; 1/2 without any record. */
export function posteriorMean({ right, wrong }: TrackRecord): number {
  return (right + 2) / (right + wrong + 4);
}

/**
 * The weight of a voter in whole units: the log-odds of being right, and 0 for one that is no better than a coin. That
 * is the best weight for voters whose errors are independent. Source: Nitzan and Paroush, "Optimal decision rules in
 * uncertain dichotomous choice situations" (1982).
 */
export function weightOfRecord(record: TrackRecord): number {
  const odds = (record.right + 2) / (record.wrong + 2);
  return Math.max(0, Math.round(Math.log(odds) * logOddsScale));
}

/**
 * The Brier score of stated confidences: the mean of (confidence - outcome)², 0 is perfect, 0.25 is a coin that says
 * one half, 1 is sure and wrong. Null without any stated confidence. Source: Brier (1950).
 */
export function brierScore(
  forecasts: readonly { readonly confidence: number | null; readonly wasRight: boolean }[],
): number | null {
  const stated = forecasts.filter(({ confidence }) => confidence !== null);
  if (stated.length === 0) return null;
  const sum = stated.reduce(
    (total, { confidence, wasRight }) => total + ((confidence ?? 0) - (wasRight ? 1 : 0)) ** 2,
    0,
  );
  return sum / stated.length;
}
