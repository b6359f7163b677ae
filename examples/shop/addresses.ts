import { readFile } from "node:fs/promises";
import { type Address, createAddressResolver, readAreas } from "../postal-codes/resolve-address.ts";
import { towns } from "./catalogue.ts";

/** Finds what a shopper's address may mean: by a postal code of Singapore, the name of an area there, or that of a town. */
export async function openAddresses(): Promise<(text: string) => readonly Address[]> {
  const areas = readAreas(await readFile(new URL("../postal-codes/singapore.tsv", import.meta.url), "utf8"));
  const cities = towns.map((town) => ({ ...town, prefixes: [] }));
  return createAddressResolver([...cities, ...areas], 6);
}
