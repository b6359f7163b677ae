import type { CallLimits } from "./call-limits.ts";
import type { LeanCall } from "./lean-call.ts";
import type { LeanPlan } from "./lean-plan.ts";
import type { StreamTransport } from "./lean-transport.ts";
import { envelopeHeaderBytes, isPlainEnvelope } from "./plain-form.ts";
import { bodyMaxBytes } from "./request-body.ts";

/** What was read of a request that turned out to be nothing plain. */
export interface ReadSoFar {
  chunks: readonly Buffer[];
  isWhole: boolean;
}

/**
 * Reads the body of a plain call from its stream, runs the call, and tells it when its answer has gone.
 *
 * @param handOver Called, once, where the body turns out to be nothing plain: with all that was read of it, and the request at rest.
 */
export function readAndRun(
  call: LeanCall,
  { form }: LeanPlan,
  { source, sink }: StreamTransport,
  { readMaxBytes }: CallLimits,
  handOver: (read: ReadSoFar) => void,
): void {
  const maxBytes = bodyMaxBytes(form.protocol, readMaxBytes);
  const chunks: Buffer[] = [];
  let readBytes = 0;

  call.startDeadline();
  source.on("data", onData);
  source.on("end", onEnd);
  sink.on("close", onClose);

  function stopReading(): void {
    source.off("data", onData);
    source.off("end", onEnd);
  }

  function giveAway(): void {
    stopReading();
    call.stopDeadline();
    sink.off("close", onClose);
    source.pause();
    handOver({ chunks, isWhole: source.readableEnded });
  }

  function onData(chunk: Buffer): void {
    // After the deadline it has an answer, and what still comes is thrown away.
    if (call.isAnswered) {
      stopReading();
      return;
    }
    const isHeadThere = readBytes >= envelopeHeaderBytes;
    chunks.push(chunk);
    readBytes += chunk.byteLength;
    if (readBytes > maxBytes) {
      giveAway();
    } else if (form.protocol !== "connect" && !isHeadThere && readBytes >= envelopeHeaderBytes) {
      // What announces too much is refused before it is sent.
      if (!isPlainEnvelope(bodySoFar(), readMaxBytes)) giveAway();
    }
  }

  function bodySoFar(): Buffer {
    const [only] = chunks;
    return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
  }

  function onEnd(): void {
    if (!call.isAnswered && !call.take(bodySoFar())) giveAway();
  }

  function onClose(): void {
    stopReading();
    call.close();
  }
}
