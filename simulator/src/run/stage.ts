import type { City } from "../actors/city.ts";
import type { Courier } from "../actors/courier.ts";
import type { Agenda } from "./agenda.ts";
import type { Crew } from "./crew.ts";
import type { Source } from "./source.ts";

/** What a run is played with. */
export interface Stage {
  readonly city: City;
  readonly couriers: readonly Courier[];
  readonly agenda: Agenda;
  readonly crew: Crew;
  readonly source: Source;
  /** Puts the intentions into the agenda that are due by a time of the trace. */
  fill(planMs: number): Promise<void>;
  /** Observes which places are not kept any longer soon. @param planMs time of the trace to which a clock is about to be moved */
  limitsPass(planMs?: number): void;
  /** Reads all feeds, and lets the couriers act on them. */
  readFeeds(planMs: number): Promise<void>;
  /** Observes the counts of all sites. */
  sample(): Promise<void>;
  /** When aborted, the run is over. */
  readonly signal: AbortSignal;
}

/** Whether nothing is left to do: every intention has begun, and what is open depends on the gateway's clock alone. */
export function isOver({ source, agenda, city }: Stage): boolean {
  return source.nextMs === Number.POSITIVE_INFINITY && agenda.droppable === 0 && city.lives.areAllResting;
}
