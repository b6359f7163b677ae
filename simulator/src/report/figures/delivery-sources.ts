import type { DeliveryParameters } from "../../delivery/parameters.ts";
import type { DeliveryParameterFigure } from "../report.ts";

type Name = DeliveryParameterFigure["name"];

/** For each parameter: what it is, and where its default comes from. `docs/simulator.md` has more of it. */
const texts: Record<Name, readonly [meaning: string, source: string]> = {
  detour: ["roads over straight lines", "Newell 1980; Giacomin and Levinson 2015"],
  stemKm: ["depot to the first stop, km", "assumed"],
  stopSpeedKmh: ["speed between stops, km/h", "assumed"],
  stemSpeedKmh: ["speed to and from the depot, km/h", "assumed"],
  parcelsPerDoorStop: ["parcels at one door", "van Duin 2020 (Amsterdam)"],
  failedShare: ["first attempts at a door that fail", "Parcel Monitor 2022: from 0.032 to 0.099 in the region"],
  attempts: ["attempts at a door", "assumed"],
  doorStopMin: ["a stop at a door, minutes", "assumed"],
  siteStopMin: ["a stop at a site, minutes", "assumed"],
  siteParcelMin: ["each parcel at a site, minutes", "InPost's own claim"],
  vanParcels: ["parcels in a van", "assumed"],
  shiftHours: ["longest round, hours", "assumed"],
  vanKgPerKm: ["a van, kg CO₂e a km", "PMC7081612"],
  carKgPerKm: ["a car, kg CO₂e a km", "UK government conversion factors"],
  "tripShares.foot": ["people who fetch on foot", "assumed for a dense city"],
  "tripShares.onTheWay": ["on the way of another trip", "assumed for a dense city"],
  "tripShares.car": ["by car for this alone", "assumed; half in Gdańsk (Sustainability 2021, 13, 10661)"],
  onTheWayExtra: ["part of the way that a trip on the way adds by car", "assumed"],
  parcelsPerTrip: ["parcels fetched in one trip", "assumed"],
};

/** The parameters with their meanings. The source is that of the default; a value that was given says so. */
export function describeDelivery(parameters: DeliveryParameters, defaults: DeliveryParameters): DeliveryParameterFigure[] {
  const flat = ({ tripShares, ...others }: DeliveryParameters): Record<string, number> => ({
    ...others,
    "tripShares.foot": tripShares.foot,
    "tripShares.onTheWay": tripShares.onTheWay,
    "tripShares.car": tripShares.car,
  });
  const [values, usual] = [flat(parameters), flat(defaults)];
  return (Object.keys(texts) as Name[]).map((name) => {
    const [meaning, source] = texts[name];
    const value = values[name] ?? 0;
    return { name, value, meaning, source: value === usual[name] ? source : "given" };
  });
}
