import type { People, Person } from "@petak/simulator";
import { createRandom } from "@petak/simulator/random";

/** Homes of people that are drawn at random: the same for the same seed. */
export function sampleHomes(people: People, count: number, seed: number, name: string): Person[] {
  const random = createRandom(seed, name);
  return Array.from({ length: count }, () => people.draw(random));
}
