import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Site, SiteKind, SiteLifecycle, SiteSchema } from "@petak/protocol";

/** Facts of a site that matter to a test; the others get ordinary values. */
export interface SiteFacts {
  operatorId?: string;
  ref?: string;
  latitude: number;
  longitude: number;
  kind?: SiteKind;
  isTest?: boolean;
  /** Size classes as `[id, width, height, depth in mm, maximum mass in g, places]`. Default: one class `M` with 4 places. */
  classes?: [id: string, widthMm: number, heightMm: number, depthMm: number, maxMassG: number, installed: number][];
}

/** Further fields of a site, as in the protocol. */
export type MoreFacts = Omit<MessageInitShape<typeof SiteSchema>, "$typeName" | "$unknown">;

/** A site of the test network, as an operator would send it. @param more overrides any field */
export function makeSite(
  {
    operatorId = "par_0000000000000001",
    ref = "site-1",
    latitude,
    longitude,
    kind = SiteKind.PARCEL_TERMINAL,
    isTest = true,
    classes = [["M", 400, 200, 500, 20_000, 4]],
  }: SiteFacts,
  more: MoreFacts = {},
): Site {
  return create(SiteSchema, {
    operatorId,
    operatorSiteRef: ref,
    kind,
    name: `Test site ${ref}`,
    position: { latitude, longitude },
    address: { countryCode: "SG", locality: "Singapore", lines: ["1 Test Road"] },
    timeZone: "Asia/Singapore",
    openingHours: { alwaysOpen: true },
    sizeClasses: classes.map(([sizeClassId, widthMm, heightMm, depthMm, maxMassG, installed]) => ({
      sizeClassId,
      widthMm,
      heightMm,
      depthMm,
      maxMassG,
      installed,
    })),
    lifecycle: SiteLifecycle.ACTIVE,
    isTest,
    ...more,
  });
}
