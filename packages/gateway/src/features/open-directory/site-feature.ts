import type { Site } from "@petak/protocol";
import { osmHours } from "./osm-hours.ts";

/**
 * A site as a feature of GeoJSON (RFC 7946). Its properties are flat, since programs for maps show them as the columns of a table.
 *
 * @param shown the site as the open directory shows it
 */
export function siteFeature(site: Site, shown: Readonly<Record<string, unknown>>, operatorName: string): Record<string, unknown> {
  const { siteId, operatorId, operatorSiteRef, name, position, address, access, openingHours, sizeClasses } = site;
  const lowestMm = Math.min(...sizeClasses.map(({ lowestCentreHeightMm }) => lowestCentreHeightMm || Number.POSITIVE_INFINITY));
  return {
    type: "Feature",
    id: siteId,
    geometry: { type: "Point", coordinates: [position?.longitude ?? 0, position?.latitude ?? 0] },
    properties: {
      site_id: siteId,
      name,
      kind: shown.kind,
      lifecycle: shown.lifecycle,
      operator_id: operatorId,
      operator_name: operatorName,
      operator_site_ref: operatorSiteRef,
      country_code: address?.countryCode ?? "",
      administrative_area: address?.administrativeArea ?? "",
      locality: address?.locality ?? "",
      postal_code: address?.postalCode ?? "",
      address: address?.lines.join(", ") ?? "",
      time_zone: site.timeZone,
      opening_hours: openingHours === undefined ? "" : osmHours(openingHours),
      entrance_hint: access?.entranceHint ?? "",
      photo_url: access?.photoUrl ?? "",
      step_free: access?.stepFree ?? false,
      indoors: access?.indoors ?? false,
      card_payment: site.equipment?.cardPayment ?? false,
      lowest_centre_height_mm: Number.isFinite(lowestMm) ? lowestMm : null,
      places: sizeClasses.reduce((sum, { installed }) => sum + installed, 0),
      page_url: shown.page_url ?? "",
    },
  };
}
