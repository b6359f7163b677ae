/** Tells the operator of something that went wrong in a part of the gateway that nobody waits for. `part` names it as a sentence does: `a webhook's delivery`. */
export type TellFailure = (part: string, error: unknown, facts?: Record<string, unknown>) => void;
