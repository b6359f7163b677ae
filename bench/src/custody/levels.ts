/** The durability of an acknowledged change. */
export type Level = "everysec" | "always" | "replicated";

export const levels: readonly Level[] = ["everysec", "always", "replicated"];

/** Concurrent lives. */
export const clientCounts = [1, 16, 256] as const;

/** Events of a life: held, confirmed, deposited, collected. */
export const eventsOfLife = 4;
