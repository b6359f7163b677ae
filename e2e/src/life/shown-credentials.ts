import { randomUUID } from "node:crypto";
import { generateKeyPair } from "@petak/client/node";
import { holderPresence, newChallenge, provePresence } from "@petak/credential";
import { Act, type DeviceEventType, ProofKind } from "@petak/protocol";
import type { Random } from "@petak/testkit";
import type { World } from "./life-world.ts";
import type { LifeModel, ModelBundle, ModelReservation } from "./model.ts";
import type { ModelCredential, ModelRecord } from "./model-credentials.ts";

/** The key to which tokens to recall are bound. */
export const holderKey = await generateKeyPair();

/** The credential that a report names. */
export interface Shown {
  said: string;
  /** Whether it was issued for the act, for the reservation or a bundle to which it belongs or belonged. */
  isProven: boolean;
  /** Undefined: one that the model does not know, and if it is not proven one that nobody issued. */
  credential?: ModelCredential | undefined;
  bundle?: ModelBundle | undefined;
}

/** Draws a credential for a report: usually one that was issued for it. @param act the act that it must have been issued for */
export function drawShown(random: Random, model: LifeModel, reservation: ModelReservation, act: Act): Shown {
  const belongs = (bundle: ModelBundle) => reservation.bundle === bundle || reservation.left.has(bundle);
  const all = [
    ...model.reservations.flatMap((record) => credentialsOf(record).map((credential) => ({ record, credential, bundle: undefined }))),
    ...model.bundles.flatMap((bundle) => credentialsOf(bundle).map((credential) => ({ record: bundle, credential, bundle }))),
  ];
  const isRight = ({ record, credential, bundle }: (typeof all)[number]) =>
    credential.act === act && (bundle === undefined ? record === reservation : belongs(bundle));
  const isProven = random.bool(0.85);
  const some = all.filter((one) => isRight(one) === isProven);
  if (some.length === 0 || random.bool(0.2)) return { said: isProven ? "another one's" : "none", isProven };
  const { credential, bundle } = random.pick(some);
  return {
    said: `${isProven ? "" : "a wrong "}one of ${bundle === undefined ? "a reservation" : `bundle ${bundle.id}`}`,
    isProven,
    credential,
    bundle,
  };
}

/** What a report says of the credential. */
export async function sayShown(
  world: World,
  { isProven, credential, bundle }: Shown,
  report: { type: DeviceEventType; siteId: string; reservationId: string },
) {
  if (credential === undefined && isProven) return await world.network.shownFor(report);
  const bundleId = bundle === undefined ? "" : (world.bundleIds[bundle.id] ?? "");
  const { accessToken = "", credentialHash = randomUUID() } = (credential && world.tokens.get(credential)) ?? {};
  const said = { proofKind: ProofKind.ACCESS_TOKEN, credentialHash, bundleId, delegated: credential?.parent !== undefined };
  if (credential?.act !== Act.RECALL) return said;
  const proof = await provePresence({ token: accessToken, challenge: newChallenge(), privateJwk: holderKey.privateJwk });
  return { ...said, act: Act.RECALL, proofKind: ProofKind.BOUND_ACCESS_TOKEN, presence: holderPresence(accessToken, proof) };
}

function credentialsOf({ issued, delegated }: ModelRecord): ModelCredential[] {
  return [...issued, ...delegated];
}
