import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { createOwnServiceClient, type KeyFile, signerOfKeyFile } from "@petak/client/node";
import { TestClockService } from "@petak/protocol/test-clock";
import type { Session } from "../session.ts";

/** The time of a gateway's test clock, in ms since 1970. Undefined: it has none. */
export async function testClockTime({ url: baseUrl, tls }: Pick<Session, "url" | "tls">, key: KeyFile): Promise<number | undefined> {
  const { client: clock, close } = createOwnServiceClient(TestClockService, { baseUrl, tls, signer: signerOfKeyFile(key) });
  try {
    const { time } = await clock.getTestClock({});
    return time === undefined ? undefined : timestampMs(time);
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.Unimplemented) return undefined;
    throw error;
  } finally {
    close();
  }
}
