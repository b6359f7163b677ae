import { ParcelRequirement, Purpose, type Site, SiteKind, SiteService } from "@petak/protocol";
import { recordFlag } from "./record.ts";

const purposeFlags: readonly [Purpose, number][] = [
  [Purpose.DELIVERY, recordFlag.delivery],
  [Purpose.FIRST_MILE, recordFlag.firstMile],
  [Purpose.RETURN, recordFlag.return],
];

const serviceFlags: readonly [SiteService, number][] = [
  [SiteService.AGE_CHECK, recordFlag.ageCheck],
  [SiteService.ID_CHECK, recordFlag.idCheck],
  [SiteService.CASH_ON_DELIVERY, recordFlag.cashOnDelivery],
  [SiteService.DANGEROUS_GOODS, recordFlag.dangerousGoods],
  [SiteService.PERSONAL_COLLECTION, recordFlag.personalCollection],
];

const requirementFlags: readonly [ParcelRequirement, number][] = [
  [ParcelRequirement.AGE_CHECK, recordFlag.ageCheck],
  [ParcelRequirement.ID_CHECK, recordFlag.idCheck],
  [ParcelRequirement.CASH_ON_DELIVERY, recordFlag.cashOnDelivery],
  [ParcelRequirement.DANGEROUS_GOODS, recordFlag.dangerousGoods],
  [ParcelRequirement.PERSONAL_COLLECTION, recordFlag.personalCollection],
  [ParcelRequirement.NO_LOCKER, recordFlag.collectionPoint],
];

/** The flags of a site's record, except `reportsCapacity`. */
export function siteFlags(site: Site): number {
  let flags = kindFlag(site.kind);
  if (site.isTest) flags |= recordFlag.test;
  if (site.access?.stepFree === true) flags |= recordFlag.stepFree;
  if (site.equipment?.cardPayment === true) flags |= recordFlag.cardPayment;
  if (site.compartments.length > 0) flags |= recordFlag.namedCompartments;
  for (const [purpose, flag] of purposeFlags) {
    if (site.purposes.length === 0 || site.purposes.includes(purpose)) flags |= flag;
  }
  for (const [service, flag] of serviceFlags) {
    if (site.services.includes(service)) flags |= flag;
  }
  return flags;
}

/** The flag of a kind of site. */
export function kindFlag(kind: SiteKind): number {
  return kind === SiteKind.PARCEL_TERMINAL ? recordFlag.parcelTerminal : recordFlag.collectionPoint;
}

/** The flag required for a purpose; UNSPECIFIED means DELIVERY. */
export function purposeFlag(purpose: Purpose): number {
  return purposeFlags.find(([value]) => value === purpose)?.[1] ?? recordFlag.delivery;
}

/**
 * The flag required by a parcel requirement.
 *
 * @throws RangeError for an unknown requirement, since no site is known to meet it.
 */
export function requirementFlag(requirement: ParcelRequirement): number {
  const flag = requirementFlags.find(([value]) => value === requirement)?.[1];
  if (flag === undefined) throw new RangeError(`parcel requirement ${requirement} is not known`);
  return flag;
}
