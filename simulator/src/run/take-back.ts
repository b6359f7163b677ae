import { CallFailed } from "../actors/calls.ts";
import type { City } from "../actors/city.ts";
import { visit } from "../actors/visit.ts";

/** Parcels that are taken back at a time. */
const visitsMax = 16;

/** The couriers take back the parcels of the run that lie inside, as far as the doors open and the city's signal permits. */
export async function takeBack(city: City): Promise<void> {
  const rest = [...city.lives.inside];
  const next = async () => {
    for (let life = rest.pop(); life !== undefined && !city.signal.aborted; life = rest.pop()) {
      const { opened } = await visit(city, life, "RECALL").catch((error: unknown) => {
        if (!(error instanceof CallFailed) && !city.signal.aborted) throw error;
        return { opened: false };
      });
      if (opened) city.lives.taken(life);
    }
  };
  await Promise.all(Array.from({ length: visitsMax }, next));
}
