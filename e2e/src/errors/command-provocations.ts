import { AgentService, type Command, CommandService, CommandType, Mode, type Reason, Role } from "@petak/protocol";
import { makeSite } from "@petak/testkit";
import { expect } from "vitest";
import { allowKey, signedApproval, signedCommand } from "../testing/commanding.ts";
import { inSideNetwork } from "../testing/side-network.ts";
import { authorizationOf, origin } from "../testing/world.ts";
import { readFailure } from "../wire/failure.ts";
import type { Provocation, Scene } from "./provocation.ts";

const { watchCommands } = AgentService.method;
const methods = CommandService.method;
const aKey = expect.stringMatching(/^key_test_[0-9a-z]{16}$/) as unknown;

/** Sends a request by the operator, with its proof. */
async function byOperator({ world, protocol }: Scene, method: (typeof methods)[keyof typeof methods], message: object) {
  return await world.raw.call(protocol, method, message, { authorization: await authorizationOf(world.operator) });
}

/** Provocations of the reasons about commands. */
export const commandProvocations = {
  COMMAND_NOT_FOUND: {
    provoke: (scene) => byOperator(scene, methods.getCommand, { commandId: "cmd_0000000000000000" }),
    metadata: () => ({ command_id: "cmd_0000000000000000" }),
  },
  COMMAND_KEY_REQUIRED: {
    provoke: async ({ world, protocol }) => {
      await allowKey(world.operator);
      const other = await world.network.withMode(world.operator, Mode.TEST);
      const wanted = { siteId: world.siteId, type: CommandType.SYNC_NOW, atMs: Date.now() };
      const authorization = await authorizationOf(other);
      return await world.raw.call(protocol, methods.sendCommand, await signedCommand(other, wanted), { authorization });
    },
    metadata: () => ({ key_id: aKey }),
  },
  COMMAND_SIGNATURE_INVALID: {
    provoke: async (scene) => {
      const { operator, siteId } = scene.world;
      await allowKey(operator);
      const request = await signedCommand(operator, { siteId, type: CommandType.SYNC_NOW, atMs: Date.now() });
      return await byOperator(scene, methods.sendCommand, { ...request, reason: "another reason" });
    },
    metadata: ({ operator }) => ({ fault: "SIGNATURE", key_id: operator.signer.keyId }),
  },
  COMMANDS_EXHAUSTED: {
    provoke: async (scene) => {
      const { operator, siteId } = scene.world;
      await allowKey(operator);
      const send = async () => {
        const wanted = { siteId, type: CommandType.OPEN_FOR_SERVICE, compartmentId: "A1", atMs: Date.now() };
        return await byOperator(scene, methods.sendCommand, await signedCommand(operator, wanted));
      };
      let answer = await send();
      // The minute may end meanwhile.
      for (let sent = 1; sent < 30 && readFailure(answer) === undefined; sent++) answer = await send();
      return answer;
    },
    metadata: () => ({ limit: expect.any(String) as unknown, per: expect.any(String) as unknown, subject: expect.any(String) as unknown }),
  },
  COMMAND_NOT_APPROVABLE: {
    provoke: async (scene) => {
      const { operator, siteId } = scene.world;
      await allowKey(operator);
      const wanted = { siteId, type: CommandType.SYNC_NOW, atMs: Date.now() };
      const { command } = await operator.client.commands.sendCommand(await signedCommand(operator, wanted));
      return await byOperator(scene, methods.approveCommand, await signedApproval(operator, command as Command, { atMs: Date.now() }));
    },
    metadata: ({ operator }) => ({
      subject: expect.stringMatching(/^cmd_[0-9a-z]{16}$/) as unknown,
      state: "SENT",
      key_id: operator.signer.keyId,
    }),
  },
  COMMAND_STREAM_REPLACED: {
    provoke: ({ redis, protocol }) =>
      inSideNetwork(redis, {}, async ({ network, raw }) => {
        const operator = await network.join("Operator", [Role.OPERATOR]);
        const siteId = await network.putSite(operator, makeSite(origin));
        const signer = await network.agentSigner(operator, siteId);
        const { agents } = network.clientFor(signer);
        const leaving = new AbortController();
        const open = () => agents.watchCommands({ siteId }, { signal: leaving.signal })[Symbol.asyncIterator]();
        const before = open();
        await before.next();
        const replacing = raw.call(protocol, watchCommands, { siteId }, { authorization: await signer.authorization() });
        // It has replaced the first when that ends.
        const untilItEnds = async () => {
          while (!(await before.next()).done);
        };
        await expect(untilItEnds()).rejects.toThrow("another WatchCommands stream");
        const after = open();
        await after.next();
        const answer = await replacing;
        leaving.abort();
        await after.next().catch(() => undefined);
        return answer;
      }),
    metadata: () => ({ key_id: aKey }),
  },
} satisfies Partial<Record<Reason, Provocation>>;
