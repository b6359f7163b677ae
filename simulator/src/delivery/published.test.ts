import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { peopleOfCity } from "../city/synthetic-city.ts";
import { createRandom } from "../random/random.ts";
import { type Assignment, assignParcels, type DayParcel, type DaySite } from "./assign-parcels.ts";
import { compareDelivery, type DeliveryComparison } from "./compare-delivery.ts";
import { type DeliveryParameters, defaultDelivery } from "./parameters.ts";

/** The parcels of a day and the sites of a synthetic city, both where people live. The couriers have 40, 30, 20 and 10 % of the parcels, and a quarter of the sites each. */
function city({ population, radiusM, parcels, sites }: { population: number; radiusM: number; parcels: number; sites: number }) {
  const people = peopleOfCity({ latitude: 1.35, longitude: 103.8, population, radiusM }, 1);
  const [who, where] = [createRandom(1, "parcels"), createRandom(1, "sites")];
  return {
    parcels: Array.from(
      { length: parcels },
      (_, index): DayParcel => ({ ...people.draw(who), courier: [1, 1, 1, 1, 2, 2, 2, 3, 3, 4][index % 10] as number }),
    ),
    sites: Array.from({ length: sites }, (_, index): DaySite => ({ ...people.draw(where), owner: (index % 4) + 1 })),
  };
}

const urban = city({ population: 300_000, radiusM: 6500, parcels: 3000, sites: 120 });
const sparse = city({ population: 50_000, radiusM: 40_000, parcels: 500, sites: 20 });
const amsterdam = city({ population: 500_000, radiusM: 6000, parcels: 1770, sites: 47 });

const assign = ({ parcels, sites }: typeof urban, reachM: number) => assignParcels(parcels, sites, reachM);

function compare(assignment: Assignment, changed: Partial<DeliveryParameters> = {}): DeliveryComparison {
  return compareDelivery(assignment, { ...defaultDelivery, ...changed });
}

const byCar = (car: number) => ({ tripShares: { foot: 0.75 - car, onTheWay: 0.25, car } });
const percent = (share: number) => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(0)} %`;
/** The change of CO₂ against doors, over the share of car trips from 5 to 50 %. */
function changeOf(where: Assignment, way: "openNetwork" | "openConsolidated"): string {
  const at = (car: number) => {
    const ways = compare(where, byCar(car));
    return percent(ways[way].kg / ways.doorToDoor.kg - 1);
  };
  return `${at(0.05)} to ${at(0.5)}`;
}

test("the documentation has what the model gives beside what others have published", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/simulator.md"), "utf8");
  const whole = (number: number) => number.toFixed(0);
  const [near, far] = [300, 800].map((reachM) => compare(assign(amsterdam, reachM), { failedShare: 0 }));
  const [inCity, inCountry] = [assign(urban, 20_000), assign(sparse, 20_000)];
  const { doorToDoor, openConsolidated } = compare(inCity, byCar(0));
  const kmOf = (failedShare: number) => compare(inCity, { failedShare }).doorToDoor.vanKm;
  const perParcel = (kg: number) => (kg / urban.parcels.length).toFixed(3);
  const tourKm = doorToDoor.vanKm - 2 * defaultDelivery.stemKm * doorToDoor.rounds;
  const rows = [
    `${[near?.doorToDoor, near?.openConsolidated, far?.openConsolidated].map((way) => whole(way?.stops ?? 0)).join(", ")} stops: all doors, 300 m, 800 m`,
    `urban ${changeOf(inCity, "openNetwork")}; consolidated ${changeOf(inCity, "openConsolidated")}`,
    `sparse ${changeOf(inCountry, "openNetwork")}; consolidated ${changeOf(inCountry, "openConsolidated")}`,
    `${whole(urban.parcels.length / doorToDoor.rounds)} → ${whole(urban.parcels.length / openConsolidated.rounds)} parcels a round`,
    `${perParcel(doorToDoor.kg)} → ${perParcel(openConsolidated.vanKg)} kg, nobody by car`,
    `${percent(kmOf(0.4) / kmOf(0.03) - 1)} van km from 3 to 40 % failures`,
    `${whole((100 * tourKm) / urban.parcels.length)} km between drops for 100 parcels`,
  ];
  expect(rows.filter((row) => !page.includes(`| ${row} |`))).toEqual([]);
});
