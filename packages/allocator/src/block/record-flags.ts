import { Purpose, type Site, SiteKind } from "@petak/protocol";
import { recordFlag } from "./record.ts";

const purposeFlags: readonly [Purpose, number][] = [
  [Purpose.DELIVERY, recordFlag.delivery],
  [Purpose.FIRST_MILE, recordFlag.firstMile],
  [Purpose.RETURN, recordFlag.return],
];

/** The flags under which a site is filed. */
export function siteFlags(site: Site): number {
  let flags = site.kind === SiteKind.PARCEL_TERMINAL ? recordFlag.parcelTerminal : recordFlag.collectionPoint;
  if (site.isTest) flags |= recordFlag.test;
  if (site.openingHours?.alwaysOpen === true) flags |= recordFlag.alwaysOpen;
  if (site.access?.stepFree === true) flags |= recordFlag.stepFree;
  if (site.equipment?.cardPayment === true) flags |= recordFlag.cardPayment;
  if (site.sizeClasses.some(({ refrigerated }) => refrigerated)) flags |= recordFlag.refrigerated;
  for (const [purpose, flag] of purposeFlags) {
    if (site.purposes.length === 0 || site.purposes.includes(purpose)) flags |= flag;
  }
  return flags;
}

/** The flag that a site must have to serve a purpose; UNSPECIFIED means DELIVERY. */
export function purposeFlag(purpose: Purpose): number {
  return purposeFlags.find(([value]) => value === purpose)?.[1] ?? recordFlag.delivery;
}
