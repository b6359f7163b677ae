import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type CommandSigning,
  commandApprovalType,
  commandIdOf,
  commandKeyText,
  commandText,
  commandType,
  generateKeyPair,
  signEd25519,
} from "@petak/credential";
import {
  type Command,
  type CommandKey,
  CommandKeySchema,
  CommandSchema,
  CommandSignatureSchema,
  CommandType,
  SiteSchema,
} from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { trustedCommandKeys } from "./command-keys.ts";
import { type CommandSnapshot, commandDoorsPerHour, decideCommand } from "./command-rules.ts";
import { noLockOut } from "./lock-out.ts";

const nowMs = 1_795_518_000_000;
const siteId = "site_83652b_k3v9c0x2md00004k";
const operatorId = "par_0000000000000001";
const encoder = new TextEncoder();

async function newKey(name: string) {
  const { privateJwk, publicKey } = await generateKeyPair();
  const sign = (text: string) => signEd25519(privateJwk, encoder.encode(text));
  const own = { keyId: `key_test_${name}`, publicKey, label: name };
  return {
    sign,
    /** The permission for this key, by another one. */
    async by(other: { own: typeof own; sign: typeof sign }): Promise<CommandKey> {
      const signature = await other.sign(commandKeyText(other.own.keyId, operatorId, own as CommandKey));
      return create(CommandKeySchema, { ...own, byKeyId: other.own.keyId, signature });
    },
    own,
  };
}

const [first, second, stranger] = await Promise.all(["1", "2", "3"].map(newKey));
if (first === undefined || second === undefined || stranger === undefined) throw new Error("no keys");
const keys = [await first.by(first), await second.by(first)];

type Signer = typeof first;

async function signature(signing: CommandSigning, { own, sign }: Signer, command: Command, fromMs: number, livesMs: number) {
  const times = { issuedAt: timestampFromMs(fromMs), expiresAt: timestampFromMs(fromMs + livesMs) };
  return create(CommandSignatureSchema, {
    ...times,
    keyId: own.keyId,
    signature: await sign(commandText(signing, own.keyId, command, times)),
  });
}

/** A command to open a door, signed by one or two keys. */
async function order(
  options: {
    compartmentId?: string;
    by?: Signer;
    second?: Signer;
    fromMs?: number;
    livesMs?: number;
    secondLivesMs?: number;
    site?: string;
  } = {},
): Promise<Command> {
  const { compartmentId = "A1", by = first as Signer, fromMs = nowMs, livesMs = 60_000, secondLivesMs = 60_000, site = siteId } = options;
  const requestId = "5f0c1c1e-6a54-4f0e-9a3b-111111111111";
  const command = create(CommandSchema, { siteId: site, requestId, type: CommandType.OPEN_FOR_SERVICE, compartmentId, reason: "stuck" });
  command.commandId = await commandIdOf(site, requestId);
  command.signature = await signature(commandType, by, command, fromMs, livesMs);
  if (options.second !== undefined)
    command.secondSignature = await signature(commandApprovalType, options.second, command, fromMs, secondLivesMs);
  return command;
}

/** A terminal with an empty door A1 and a parcel behind A2. */
function snapshot(more: Partial<CommandSnapshot> = {}): CommandSnapshot {
  const door = { sizeClassId: "M", condition: "OK", door: "CLOSED" } as const;
  return {
    ...{ siteId, service: create(SiteSchema), sizeClassIds: ["M"], trustBundle: undefined, pinKey: undefined, allowances: [], bundles: [] },
    ...{ revokedServiceHashes: [], outOfService: new Set<string>(), isSpent: () => false, toCollect: () => [], hasEnded: () => false },
    ...{ challengeAgeMs: () => undefined, visits: [], lockOut: noLockOut, clockTrusted: true, maxSkewMs: 300_000 },
    compartments: [
      { ...door, compartmentId: "A1", reservationId: "", occupancy: "EMPTY" },
      { ...door, compartmentId: "A2", reservationId: "res_83652b_1", occupancy: "OCCUPIED" },
    ],
    ...{ commandKeys: keys, doorsInLastHour: 0, canRestart: false },
    ...more,
  };
}

const outcome = async (command: Command, more: Partial<CommandSnapshot> = {}, atMs = nowMs) => {
  const decision = await decideCommand(command, snapshot(more), atMs);
  return decision.obeys ? decision.door?.compartmentId : decision.refusal;
};

describe("a terminal", () => {
  it("opens an empty door by one key, and one with a parcel behind it by two", async () => {
    expect(await outcome(await order())).toBe("A1");
    expect(await outcome(await order({ compartmentId: "A2" }))).toBe("SECOND_KEY_NEEDED");
    expect(await outcome(await order({ compartmentId: "A2", second, livesMs: 600_000 }))).toBe("A2");
  });

  it.each<[string, Parameters<typeof order>[0] | ((command: Command) => void), Partial<CommandSnapshot>]>([
    ["SITE", { site: "site_83652b_k3v9c0x2md00004m" }, {}],
    ["ID", (command) => (command.commandId = "cmd_0000000000000000"), {}],
    ["KEY", { by: stranger }, {}],
    ["KEY", { second: stranger }, {}],
    ["SIGNATURE", (command) => (command.signature = undefined), {}],
    ["SIGNATURE", (command) => (command.compartmentId = "A2"), {}],
    ["SIGNATURE", (command) => (command.reason = "another"), {}],
    ["SIGNATURE", (command) => (command.secondSignature = command.signature && { ...command.signature, keyId: "key_test_2" }), {}],
    ["SECOND_KEY", { second: first }, {}],
    ["TOO_LONG_LIVED", { livesMs: 60_001 }, {}],
    ["TOO_LONG_LIVED", { livesMs: 600_001, second }, {}],
    ["TOO_LONG_LIVED", { livesMs: 600_000, second, secondLivesMs: 60_001 }, {}],
    ["NOT_YET_VALID", { fromMs: nowMs + 30_001 }, {}],
    ["EXPIRED", { fromMs: nowMs - 60_000 }, {}],
    ["EXPIRED", { livesMs: 0 }, {}],
    ["COMPARTMENT", { compartmentId: "Z9" }, {}],
    ["CLOCK_UNTRUSTED", {}, { clockTrusted: false }],
    ["TOO_MANY", {}, { doorsInLastHour: commandDoorsPerHour }],
  ])("refuses with %s: %o", async (refusal, made, more) => {
    const command = await order(typeof made === "function" ? {} : made);
    if (typeof made === "function") made(command);
    expect(await outcome(command, more)).toBe(refusal);
  });
});

describe("keys for commands", () => {
  const trusted = async (offered: CommandKey[], held: CommandKey[] | undefined) =>
    (await trustedCommandKeys(offered, held, operatorId)).map(({ label }) => label);

  it("are taken as they are the first time, and later only if a trusted one has allowed them", async () => {
    const byItself = await stranger.by(stranger);
    expect(await trusted([...keys, byItself], undefined)).toEqual(["1", "2", "3"]);
    expect(await trusted([...keys, byItself], [keys[0] as CommandKey])).toEqual(["1", "2"]);
    // A chain, in any order, also of a key that is not offered any more.
    const bySecond = await stranger.by(second);
    expect(await trusted([bySecond, keys[1] as CommandKey], [keys[0] as CommandKey])).toEqual(["3", "2"]);
    expect(await trusted([bySecond], [keys[0] as CommandKey])).toEqual([]);
  });

  it("keep their public half, whatever is offered under their id, and are given up if they are not offered", async () => {
    const [held] = keys as [CommandKey];
    const swapped = create(CommandKeySchema, { ...held, publicKey: stranger.own.publicKey });
    expect((await trustedCommandKeys([swapped], [held], operatorId))[0]?.publicKey).toEqual(held.publicKey);
    expect(await trusted([], [held])).toEqual([]);
    expect(await trusted([held], [])).toEqual([]);
  });
});
