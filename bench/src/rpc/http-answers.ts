/** Takes answers of HTTP/1.1 with a `content-length` apart, as they come over one connection. It makes nothing that has to be collected. */
export interface HttpAnswers {
  /** Takes the first bytes of a buffer, which may be used again afterwards. */
  take(bytes: Buffer, byteCount: number): void;
}

/** The longest head that is read, in bytes. */
const headMaxBytes = 8 * 1024;

const [carriageReturn, lineFeed, colon, space, zero] = [0x0d, 0x0a, 0x3a, 0x20, 0x30];
const lowerCase = 0x20;
const lengthName = Buffer.from("content-length");

/** Makes a reader for one connection. @param onAnswer Told at the end of each answer, with its status. */
export function createHttpAnswers(onAnswer: (status: number) => void): HttpAnswers {
  const head = Buffer.alloc(headMaxBytes);
  let headBytes = 0;
  /** Where the bytes of the body that are still to come are counted. Undefined: the head comes first. */
  let bodyLeft: number | undefined;

  function takeHead(bytes: Buffer, from: number, byteCount: number): number {
    for (let at = from; at < byteCount; at++) {
      if (headBytes === headMaxBytes) throw new Error(`an answer with a head of more than ${headMaxBytes} bytes`);
      head[headBytes++] = bytes[at] as number;
      if (!endsWithEmptyLine(head, headBytes)) continue;
      bodyLeft = lengthOf(head, headBytes);
      return at + 1;
    }
    return byteCount;
  }

  return {
    take(bytes, byteCount) {
      let at = 0;
      while (at < byteCount || bodyLeft === 0) {
        if (bodyLeft === undefined) {
          at = takeHead(bytes, at, byteCount);
          continue;
        }
        const taken = Math.min(bodyLeft, byteCount - at);
        at += taken;
        bodyLeft -= taken;
        if (bodyLeft > 0) return;
        bodyLeft = undefined;
        headBytes = 0;
        onAnswer(digit(head, 9) * 100 + digit(head, 10) * 10 + digit(head, 11));
      }
    },
  };
}

function endsWithEmptyLine(head: Buffer, length: number): boolean {
  return (
    head[length - 1] === lineFeed &&
    head[length - 2] === carriageReturn &&
    head[length - 3] === lineFeed &&
    head[length - 4] === carriageReturn
  );
}

function lengthOf(head: Buffer, headBytes: number): number {
  for (let at = 0; at < headBytes; at++) {
    if (head[at] !== lineFeed || !isLengthAt(head, at + 1)) continue;
    let length = 0;
    for (let place = at + lengthName.length + 2; head[place] !== carriageReturn; place++) {
      if (head[place] !== space) length = length * 10 + digit(head, place);
    }
    return length;
  }
  throw new Error(`an answer without content-length:\n${head.toString("latin1", 0, headBytes)}`);
}

function isLengthAt(head: Buffer, from: number): boolean {
  for (let index = 0; index < lengthName.length; index++) {
    if (((head[from + index] as number) | lowerCase) !== lengthName[index]) return false;
  }
  return head[from + lengthName.length] === colon;
}

function digit(head: Buffer, at: number): number {
  return (head[at] as number) - zero;
}
