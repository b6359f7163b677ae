import type { ProcessGroup, VisitMade } from "@petak/simulator";
import type { FromProcess, ToProcess } from "./messages.ts";

/** The group of a process, which it reaches by way of the first process. @param tell says something to that */
export function joinGroup(member: number, size: number, tell: (message: FromProcess) => void): ProcessGroup {
  const asked = new Map<number, PromiseWithResolvers<VisitMade>>();
  let count = 0;
  let met = Promise.withResolvers<void>();
  let make: Parameters<ProcessGroup["serve"]>[0] = () => Promise.reject(new Error("the run has not begun"));
  process.on("disconnect", () => {
    met.resolve();
    for (const { reject } of asked.values()) reject(new Error("The first process has ended."));
  });
  process.on("message", (message: ToProcess) => {
    if (message.kind === "met") met.resolve();
    else if (message.kind === "visited") {
      const { resolve, reject } = asked.get(message.number) as PromiseWithResolvers<VisitMade>;
      asked.delete(message.number);
      if (message.made === null) reject(new Error("A visit could not be made by the process that has the door."));
      else resolve(message.made);
    } else if (message.kind === "visit") {
      const { from: to, number, order } = message;
      make(order).then(
        (made) => tell({ kind: "visited", to, number, made }),
        () => tell({ kind: "visited", to, number, made: null }),
      );
    }
  });
  return {
    size,
    member,
    async visit(to, order) {
      const number = ++count;
      const answer = Promise.withResolvers<VisitMade>();
      asked.set(number, answer);
      tell({ kind: "visit", from: member, to, number, order });
      return await answer.promise;
    },
    serve(how) {
      make = how;
    },
    async meet() {
      if (!process.connected) return;
      tell({ kind: "meet" });
      await met.promise;
      met = Promise.withResolvers();
    },
  };
}
