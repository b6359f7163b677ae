import { iso1A2Code } from "@rapideditor/country-coder";

/**
 * The country of a point as ISO 3166-1 alpha-2 code, or of the territory if that has a code of its own (`HK`, `RE`). Undefined on the high seas and on
 * unclaimed land.
 *
 * The borders are those of country-coder, made for editors of OpenStreetMap: accurate to some tens of metres on land, in the middle of straits, and
 * around groups of islands with the water between them.
 */
export function countryOf({ latitude, longitude }: { latitude: number; longitude: number }): string | undefined {
  return iso1A2Code([longitude, latitude], { level: "territory" }) ?? undefined;
}
