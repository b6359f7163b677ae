import { demoCountryCodes } from "./cities.ts";

/** A fictitious operator of the demonstration network. */
export interface DemoOperator {
  /** Short and stable: used in file names and request ids. */
  readonly key: string;
  /** For `Participant.display_name`. */
  readonly name: string;
  /** Where it has sites. ISO 3166-1 alpha-2. */
  readonly countryCodes: readonly string[];
  /** Its weight among the operators of a country. */
  readonly weight: number;
  /** Share of terminals among its sites; the others are stores. Range: [0, 1]. */
  readonly terminalShare: number;
}

/** Two operators of the whole region, one of the Mekong countries, and two of one country each. */
export const demoOperators: readonly DemoOperator[] = [
  { key: "kancil", name: "Kancil Lockers (demo)", countryCodes: demoCountryCodes, weight: 38, terminalShare: 1 },
  { key: "enggang", name: "Enggang Corner Stores (demo)", countryCodes: demoCountryCodes, weight: 27, terminalShare: 0 },
  {
    key: "naga",
    name: "Naga Mekong Parcels (demo)",
    countryCodes: ["KH", "LA", "MM", "TH", "VN"],
    weight: 45,
    terminalShare: 0.6,
  },
  { key: "cendana", name: "Cendana Titik Paket (demo)", countryCodes: ["ID"], weight: 50, terminalShare: 0.35 },
  { key: "tamaraw", name: "Tamaraw Drop (demo)", countryCodes: ["PH"], weight: 50, terminalShare: 0.45 },
];
