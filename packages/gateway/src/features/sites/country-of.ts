import { iso1A2Code } from "@rapideditor/country-coder";

/**
 * The country in which a point lies: its ISO 3166-1 alpha-2 code, that of the territory where it has one of its own (`HK`, `RE`).
 * Undefined on the high sea and on land of which the map says that nobody's claim stands.
 *
 * The borders are those of country-coder, drawn for the editors of OpenStreetMap: along land borders within some tens of metres, in the
 * middle of straits, around islands with the water between them.
 */
export function countryOf({ latitude, longitude }: { latitude: number; longitude: number }): string | undefined {
  return iso1A2Code([longitude, latitude], { level: "territory" }) ?? undefined;
}
