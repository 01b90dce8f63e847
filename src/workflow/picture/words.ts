/** Text as it will stand in the picture: sizes in pixels, estimated, since nobody measures letters here. */

export const fonts = {
  kind: { size: 10, width: 6.4, line: 14 },
  title: { size: 13.5, width: 8.4, line: 18 },
  note: { size: 11, width: 6.3, line: 15 },
} as const;

export type FontName = keyof typeof fonts;

/** Letters of East Asian scripts and symbols take about twice the width. Source: Unicode, UAX #11. */
const wide =
  /[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Extended_Pictographic}/u;

/** Control characters have no picture, and XML refuses most of them. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/gu, " ");
}

export function widthOf(text: string, font: FontName): number {
  let width = 0;
  for (const letter of text) width += fonts[font].width * (wide.test(letter) ? 2 : /[A-Z@%W]/.test(letter) ? 1.2 : 1);
  return width;
}

/** Breaks a text into lines that fit; what is beyond the last line is cut with an ellipsis. */
export function wrap(text: string, font: FontName, fit: { readonly width: number; readonly lines: number }): string[] {
  const words = printable(text)
    .split(/\s+/)
    .filter((word) => word !== "")
    .flatMap((word) => pieces(word, font, fit.width));
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(`${last} ${word}`, font) <= fit.width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  if (lines.length <= fit.lines) return lines;
  const kept = lines.slice(0, fit.lines);
  kept[fit.lines - 1] = `${kept[fit.lines - 1] ?? ""}…`;
  return kept;
}

/** A word that is too long for a line is broken where it has to be. */
function pieces(word: string, font: FontName, width: number): string[] {
  if (widthOf(word, font) <= width) return [word];
  const parts: string[] = [""];
  for (const letter of word) {
    const last = parts.at(-1) ?? "";
    if (widthOf(last + letter, font) <= width) parts[parts.length - 1] = last + letter;
    else parts.push(letter);
  }
  return parts;
}
