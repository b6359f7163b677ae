import type { Errand } from "../actors/city.ts";
import type { Visited, Visitor } from "../actors/life.ts";
import { hash } from "../random/random.ts";

/**
 * Those who make one run together, each in a process of its own: every member has a share of the people, by their names, and a share of the doors, by the ids of
 * their sites. Visits are made by the member that has the door.
 */
export interface ProcessGroup {
  /** Number of members. */
  readonly size: number;
  /** Which member this is, from 0. */
  readonly member: number;
  /** Has a visit made by another member. */
  visit(member: number, order: VisitOrder): Promise<VisitMade>;
  /** How visits are made here that others ask for, from now on. */
  serve(make: (order: VisitOrder) => Promise<VisitMade>): void;
  /** Resolves when every member has come to this point. All come to the same points, in the same order. */
  meet(): Promise<void>;
}

/** A visit, as it is handed to another process: plain JSON. */
export interface VisitOrder extends Omit<Visitor, "courier"> {
  readonly act: Errand["act"];
  /** The courier's. */
  readonly participantId: string;
}

/** What came of it. */
export interface VisitMade {
  readonly visited: Visited;
  /** Whether it was observed that the place can be given to others. */
  readonly isFreed: boolean;
}

/** Which member a person or a site belongs to. */
export function memberOf({ size }: Pick<ProcessGroup, "size">, name: string): number {
  return (hash(name) >>> 0) % size;
}
