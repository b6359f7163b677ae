import { CommandState, CommandType, EventType, Role } from "@petak/protocol";
import { createFrozenClock, makeSite, openRedisLink, useRedis } from "@petak/testkit";
import { startTestNetwork } from "@petak/testkit/network";
import { expect, it } from "vitest";
import { allowKey, ended, sendCommand } from "../testing/commanding.ts";
import { origin } from "../testing/world.ts";

const redis = useRedis();
const cabinet = ["M-1", "M-2"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" }));
const types = [CommandType.TAKE_OUT_OF_SERVICE, CommandType.PUT_INTO_SERVICE] as const;

it("a gateway that is restarted under a stream of commands loses none, and none is obeyed twice", async () => {
  const clock = createFrozenClock(Date.now());
  const network = await startTestNetwork({ redis, now: clock.now });
  const { redis: address, keyPrefix, dataDir } = network.shared;
  const shared = { redis: { address }, keyPrefix, dataDir, now: clock.now, agentSyncIntervalMs: 3_600_000 };
  let restarted = await startTestNetwork(shared);
  // The terminal's address of it stays, whatever port it gets when it starts again.
  const line = await openRedisLink({ port: restarted.port });
  try {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    await allowKey(operator);
    const siteId = await network.putSite(operator, makeSite(origin));
    const client = network.clientFor(await network.agentSigner(operator, siteId), { baseUrl: line.url.replace("redis:", "http:") }).agents;
    const obeyed: string[] = [];
    const onCommand = ({ commandId }: { commandId: string }) => void obeyed.push(commandId);
    await network.openTerminal(operator, siteId, { cabinet, watchesCommands: true, client, onCommand, random: () => 0 });
    const sent: string[] = [];
    const send = async (count: number) => {
      for (const type of Array.from({ length: count }, (_, index) => types[index % 2] ?? types[0])) {
        clock.advance(10_000);
        sent.push((await sendCommand(operator, { siteId, type, atMs: clock.now(), lifetimeMs: 3_600_000 })).commandId);
      }
    };
    for (let round = 0; round < 3; round++) {
      await send(4);
      const stopping = restarted.stop();
      await send(4);
      await stopping;
      await send(4);
      restarted = await startTestNetwork(shared);
      line.leadTo({ port: restarted.port });
    }
    for (const commandId of sent) expect(await ended(operator, commandId)).toMatchObject({ state: CommandState.DONE });
    expect(obeyed.toSorted()).toEqual(sent.toSorted());
    const { events } = await operator.client.custody.listEvents({ pageSize: 1000 });
    const ends = events.filter(({ type }) => type === EventType.COMMAND_ENDED);
    expect(ends.map(({ command }) => command?.commandId).toSorted()).toEqual(sent.toSorted());
  } finally {
    await restarted.stop();
    await network.stop();
    await line.stop();
  }
});
