import { compareWithSite, courierCode, generateKeyPair, readSiteCode, signDriverCertificate } from "@petak/credential";
import type { TestParticipant } from "@petak/testkit/network";

/** A courier's driver, with a device that needs no network at the store. */
export interface Driver {
  readonly courier: TestParticipant;
  /** Signs a store's list, if it is of the driver's own parcels and of no others. @throws Error if it is not */
  sign(storeCode: string, own: readonly { readonly reservationId: string; readonly label: string }[]): Promise<string>;
}

/** Gives a courier a driver, who gets a certificate for each day. */
export async function newDriver(courier: TestParticipant, nowMs: () => number): Promise<Driver> {
  const { publicKey, privateJwk } = await generateKeyPair();
  return {
    courier,
    async sign(storeCode, own) {
      const site = await readSiteCode(storeCode);
      if (typeof site === "string") throw new Error(`the driver cannot read the store's code: ${site}`);
      const { list, unknown } = await compareWithSite(
        site,
        // What the store has not heard of is on its list, as refused, by its label.
        own.flatMap(({ reservationId, label: labelCode }) => [
          { reservationId, labelCode: "" },
          { reservationId: "", labelCode },
        ]),
      );
      if (list === undefined) throw new Error(`the store's list is not of the driver's parcels (${unknown} unknown)`);
      const nowS = Math.floor(nowMs() / 1000);
      const certificate = await signDriverCertificate(courier.key.privateJwk, {
        courierId: courier.participantId,
        keyId: courier.key.keyId,
        driverKey: publicKey,
        siteId: "",
        notBeforeS: nowS - 3600,
        notAfterS: nowS + 10 * 3600,
      });
      return await courierCode(site.statement, { key: privateJwk, publicKey, certificate });
    },
  };
}
