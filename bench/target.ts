/** The limit of a measured value, and whether the value meets it. */
export interface Target {
  /** `≤ 78` */
  readonly text: string;
  readonly met: boolean;
}

export function atMost(limit: number, value: number, unit = ""): Target {
  return { text: `≤ ${limit}${unit}`, met: value <= limit };
}

export function atLeast(limit: number, value: number, unit = ""): Target {
  return { text: `≥ ${limit}${unit}`, met: value >= limit };
}

export function cell({ text, met }: Target): string {
  return met ? text : `${text} MISSED`;
}
