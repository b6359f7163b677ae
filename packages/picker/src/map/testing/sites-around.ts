import { createRandom } from "@petak/testkit";
import type { MapSite, Point } from "../picker-map.ts";

/** Made-up sites around a point, the nearest first. The same each time. @param spread how far away they are, in degrees */
export function sitesAround({ latitude, longitude }: Point, count: number, spread: number): MapSite[] {
  const random = createRandom(7);
  const states = ["free", "free", "free", "full", "unknown"] as const;
  const sites = Array.from({ length: count }, (_, index): MapSite => {
    const state = random.pick(states);
    const label = state === "free" ? String(random.int(1, 19)) : state === "full" ? "full" : "?";
    const off = () => random.float(-spread, spread);
    return { siteId: `site-${index}`, name: `Place ${index}`, state, label, latitude: latitude + off(), longitude: longitude + off() };
  });
  const farOf = (site: MapSite) => Math.hypot(site.latitude - latitude, site.longitude - longitude);
  return sites.sort((one, other) => farOf(one) - farOf(other));
}
