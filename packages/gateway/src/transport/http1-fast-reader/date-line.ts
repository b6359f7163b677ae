let second = Number.NaN;
let line = "";

/** The Date header of an answer that is sent now, with the end of its line. Made once a second. */
export function dateLine(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
  }
  return line;
}
