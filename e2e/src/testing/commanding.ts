import { randomUUID } from "node:crypto";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { PetakClient, RequestSigner } from "@petak/client/node";
import { commandKeyText, commandText } from "@petak/credential";
import { type Command, CommandType, EventType, Mode } from "@petak/protocol";
import type { TestParticipant, TestParticipants } from "@petak/testkit/network";

/** Who sends a command: a client and the key that it signs with. */
export interface Commander {
  readonly client: PetakClient;
  readonly signer: RequestSigner;
  readonly participantId: string;
}

/** What a command says; the rest is made. */
export interface WantedCommand {
  siteId: string;
  type: CommandType;
  compartmentId?: string;
  reason?: string;
  requestId?: string;
  /** From when on it is valid, in ms. */
  atMs: number;
  lifetimeMs?: number;
}

/** A request of SendCommand, signed. */
export async function signedCommand({ signer }: Pick<Commander, "signer">, wanted: WantedCommand) {
  const { siteId, type, compartmentId = "", reason = "looked at by hand", requestId = randomUUID(), atMs, lifetimeMs = 60_000 } = wanted;
  const order = { requestId, siteId, type, compartmentId, reason };
  const times = { issuedAt: timestampFromMs(atMs), expiresAt: timestampFromMs(atMs + lifetimeMs) };
  const signature = await signer.sign(commandText("petak-command", signer.keyId, order, times));
  return { ...order, signature: { ...times, signature } };
}

/** Sends a command, and returns it as accepted. */
export async function sendCommand(commander: Commander, wanted: WantedCommand) {
  const { command } = await commander.client.commands.sendCommand(await signedCommand(commander, wanted));
  if (command === undefined) throw new Error("no command came back");
  return command;
}

/** A request of AllowCommandKey, signed by a commander. */
export async function signedPermission(
  { signer, participantId }: Pick<Commander, "signer" | "participantId">,
  key: { keyId: string; publicKey: Uint8Array },
  label: string,
) {
  const signature = await signer.sign(
    commandKeyText(signer.keyId, participantId, { ...key, label } as Parameters<typeof commandKeyText>[2]),
  );
  return { requestId: randomUUID(), keyId: key.keyId, label, signature };
}

/** Lets a key of the commander sign commands. Default: its own. */
export async function allowKey(commander: Commander, keyId = commander.signer.keyId, label = "help desk"): Promise<void> {
  const { keys } = await commander.client.participants.listKeys({ pageSize: 500 });
  const key = keys.find((one) => one.keyId === keyId);
  if (key === undefined) throw new Error(`no key ${keyId}`);
  await commander.client.commands.allowCommandKey(await signedPermission(commander, key, label));
}

/** Waits until a command has ended, by its event in the operator's feed. */
export async function ended({ client }: Pick<Commander, "client">, commandId: string) {
  let cursor = "";
  for (;;) {
    const page = await client.custody.listEvents({ cursor, wait: { seconds: 10n } });
    const found = page.events.filter(({ type, command }) => type === EventType.COMMAND_ENDED && command?.commandId === commandId);
    if (found.length > 0) return (await client.commands.getCommand({ commandId })).command;
    cursor = page.nextCursor;
  }
}

/** Requests about commands that an operator may make. */
export type Commanding = Awaited<ReturnType<typeof commandingIn>>;

/** Requests about commands to a site of an operator: one to send, one to approve that another key of it has signed, and a key to allow. */
export async function commandingIn(world: { operator: TestParticipant; network: TestParticipants; siteId: string }) {
  const { operator, network, siteId } = world;
  await allowKey(operator);
  const other = await network.withMode(operator, operator.signer.mode === "live" ? Mode.LIVE : Mode.TEST);
  const { keys } = await operator.client.participants.listKeys({ pageSize: 500 });
  const [own, others] = [operator, other].map(({ signer }) => keys.find(({ keyId }) => keyId === signer.keyId));
  if (own === undefined || others === undefined) throw new Error("the operator has no such keys");
  await operator.client.commands.allowCommandKey(await signedPermission(operator, others, "field"));
  const atMs = network.now();
  const wanted = { siteId, type: CommandType.TAKE_OUT_OF_SERVICE, compartmentId: "A1", atMs, lifetimeMs: 3_600_000 };
  const order = { ...(await signedCommand(other, wanted)), awaitSecondKey: true };
  const { command } = await other.client.commands.sendCommand(order);
  const toSend = { ...(await signedCommand(operator, wanted)), awaitSecondKey: true };
  const approval = await signedApproval(operator, command as Command, { atMs, lifetimeMs: 3_600_000 });
  return { toSend, toApprove: approval, toAllow: await signedPermission(operator, own, "front desk") };
}

/** A request of ApproveCommand, signed. */
export async function signedApproval(
  { signer }: Pick<Commander, "signer">,
  command: Command,
  { atMs, lifetimeMs = 60_000 }: { atMs: number; lifetimeMs?: number },
) {
  const times = { issuedAt: timestampFromMs(atMs), expiresAt: timestampFromMs(atMs + lifetimeMs) };
  const signature = await signer.sign(commandText("petak-command-approval", signer.keyId, command, times));
  return { requestId: randomUUID(), commandId: command.commandId, signature: { ...times, signature } };
}
