import { create } from "@bufbuild/protobuf";
import { TakeLeaseResponseSchema } from "@petak/protocol/counter";
import { type CounterPort, UnreachableError } from "../counter/port.ts";

/** A port whose line can be cut. */
export interface CutLine {
  readonly port: CounterPort;
  /** `before`: calls do not arrive. `after`: they arrive, and their answers are lost. */
  cut: "before" | "after" | undefined;
}

/** Puts a line before a port. */
export function cutLine(port: CounterPort): CutLine {
  const line: CutLine = {
    cut: undefined,
    port: {
      ...port,
      getCounter: () => call(() => port.getCounter()),
      submit: (entries) => call(() => port.submit(entries)),
      listParcels: (known) => call(() => port.listParcels(known)),
      ...(port.takeLease && {
        takeLease: (digest) => call(async () => (await port.takeLease?.(digest)) ?? create(TakeLeaseResponseSchema)),
      }),
      ...(port.returnLease && { returnLease: (number) => call(async () => await port.returnLease?.(number)) }),
      putPhoto: (photoId, jpeg) => call(() => port.putPhoto(photoId, jpeg)),
    },
  };
  async function call<T>(toPort: () => Promise<T>): Promise<T> {
    if (line.cut === "before") throw new UnreachableError("The line is cut.");
    const answer = await toPort();
    if (line.cut === "after") throw new UnreachableError("The line is cut.");
    return answer;
  }
  return line;
}
