import { type ClientTls, createPetakClient, generateKeyPair, writeKeyFile } from "@petak/client/node";
import { enrolmentIdOf, fingerprintOfRoot, isLowOrderPoint, publicKeyOf, signEnrolment } from "@petak/credential";
import { Mode, readEnrolmentCode } from "@petak/protocol";
import {
  type BegunEnrolment,
  type Device,
  filesIn,
  makeDataDirectory,
  readBegun,
  readDevice,
  removeBegun,
  writeBegun,
  writeDevice,
} from "./data-directory.ts";
import { checkGatewayAddress } from "./gateway-address.ts";

/** Why a device cannot enrol, before anything is sent or after the answer. */
export class EnrolmentError extends Error {
  override readonly name = "EnrolmentError";
}

/** Options of {@link enrolDevice}. */
export interface EnrolDeviceOptions {
  /** Where the device keeps its key and its data; made if it does not exist. */
  dataDir: string;
  /** The operator's code, as it was typed. */
  code: string;
  /** The gateway's address. */
  url: string;
  /** How it connects over TLS. Default: as the system does. */
  tls?: ClientTls | undefined;
  /** Enrols a device anew that is enrolled for the same site, after its key was revoked. It keeps its database. Default false. */
  isAgain?: boolean;
  /** The fingerprint of the operator's root key, if it is known: another one, or none, is no gateway of this operator. Default: that of the answer is pinned. */
  root?: string | undefined;
}

/**
 * Makes the key of a device and registers it by a code. A repetition after a lost answer sends the same key.
 *
 * @throws {EnrolmentError} if the code is mistyped, the device is enrolled, the code is for another site than the device's, or the root key is
 *   another; a ConnectError if the gateway
 *   refuses or is not reached
 */
export async function enrolDevice({ dataDir, code, url: typedUrl, tls, isAgain = false, root }: EnrolDeviceOptions): Promise<Device> {
  const url = checkGatewayAddress(typedUrl);
  const read = readEnrolmentCode(code);
  if (read === undefined)
    throw new EnrolmentError("the code is mistyped: it has four groups of four characters, and does not fit its check character");
  const before = await readDevice(dataDir);
  if (before !== undefined && !isAgain) {
    throw new EnrolmentError(`${dataDir} has the key ${before.key.key_id} of site ${before.siteId} already`);
  }
  await makeDataDirectory(dataDir);
  const begun = await begin(dataDir, url, await enrolmentIdOf(read));
  const client = createPetakClient({ baseUrl: url, tls });
  try {
    const answer = await client.agents.enrol({
      code: read,
      publicKey: publicKeyOf(begun.private_jwk),
      possessionProof: await signEnrolment(begun.private_jwk, begun.enrolment_id),
    });
    const { participantId, keyId, siteId, audience } = answer;
    if (before !== undefined && before.siteId !== siteId) {
      throw new EnrolmentError(
        `the code is for site ${siteId}, and the data in ${dataDir} is of site ${before.siteId}: use another directory`,
      );
    }
    const rootKey = await checkRoot(answer.rootPublicKey, root, before?.rootKey);
    const mode = answer.mode === Mode.LIVE ? "live" : "test";
    await writeKeyFile(filesIn(dataDir).key, {
      participant_id: participantId,
      key_id: keyId,
      mode,
      audience,
      private_jwk: begun.private_jwk,
    });
    await writeDevice(dataDir, { url, siteId, rootKey });
    await removeBegun(dataDir);
  } finally {
    client.close();
  }
  const device = await readDevice(dataDir);
  if (device === undefined) throw new EnrolmentError(`${dataDir} could not be read after it was written`);
  return device;
}

/** The root key of an answer, if it is the one that the device expects. Undefined: the operator has none, and the device knows none. */
async function checkRoot(
  answered: Uint8Array,
  expected: string | undefined,
  pinned: Uint8Array | undefined,
): Promise<Uint8Array | undefined> {
  const wanted = expected ?? (pinned && (await fingerprintOfRoot(pinned)));
  if (answered.length === 0) {
    if (wanted === undefined) return undefined;
    throw new EnrolmentError(`the gateway gave no root key, and it should have ${wanted}: it may not be your operator's`);
  }
  if (isLowOrderPoint(answered)) throw new EnrolmentError("the gateway gave a root key that is none");
  const given = await fingerprintOfRoot(answered);
  if (wanted === undefined || given === wanted) return answered;
  throw new EnrolmentError(
    `the gateway's root key is ${given}, and it should be ${wanted}: it may not be your operator's. If the operator has a new root, give its fingerprint with --root`,
  );
}

/** Makes the key, or finds the one that was made for this enrolment. */
async function begin(dataDir: string, url: string, enrolmentId: string): Promise<BegunEnrolment> {
  const earlier = await readBegun(dataDir);
  if (earlier?.enrolment_id === enrolmentId && earlier.url === url) return earlier;
  const { privateJwk } = await generateKeyPair();
  const begun = { enrolment_id: enrolmentId, url, private_jwk: privateJwk };
  await writeBegun(dataDir, begun);
  return begun;
}
