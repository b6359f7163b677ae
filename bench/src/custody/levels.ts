/** How safe a change is when it is answered. */
export type Level = "everysec" | "always" | "replicated";

export const levels: readonly Level[] = ["everysec", "always", "replicated"];

/** Lives that run at once. */
export const clientCounts = [1, 16, 256] as const;

/** Events that a life leaves in the record: held, confirmed, deposited, collected. */
export const eventsOfLife = 4;
