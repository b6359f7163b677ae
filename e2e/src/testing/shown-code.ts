import type { QrSquares } from "@petak/store-app/testing/code-film";

/** A line of a QR code that a terminal shows: each character is two squares, one above the other, and light where a terminal is. */
const codeLine = /^[█▀▄ ]{21,}$/u;

/** The QR code in what a command printed, as a camera before the terminal sees it. */
export function squaresIn(printed: string): QrSquares {
  const lines = printed.split("\n").filter((line) => codeLine.test(line));
  return lines.flatMap((line) => {
    const characters = [...line];
    return [characters.map((one) => one === "▄" || one === " "), characters.map((one) => one === "▀" || one === " ")];
  });
}
