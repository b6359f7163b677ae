import type { PetakClient } from "@petak/client/node";

/** A participant that reserves for shoppers and carries parcels. */
export interface Courier {
  readonly participantId: string;
  readonly client: PetakClient;
  /** Where its feed was read up to. */
  cursor: string;
  /** The number of the last event that was read; 0: none. */
  feedNumber: number;
}
