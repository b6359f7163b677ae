import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { createServiceClient } from "@petak/client";
import { type KeyFile, signerOfKeyFile } from "@petak/client/node";
import { TestClockService } from "@petak/protocol/test-clock";

/** The time of a gateway's test clock, in ms since 1970. Undefined: it has none. */
export async function testClockTime(baseUrl: string, key: KeyFile): Promise<number | undefined> {
  const clock = createServiceClient(TestClockService, { baseUrl, signer: signerOfKeyFile(key) });
  try {
    const { time } = await clock.getTestClock({});
    return time === undefined ? undefined : timestampMs(time);
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.Unimplemented) return undefined;
    throw error;
  }
}
