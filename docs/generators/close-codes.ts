import { closeCodes, closePolicyOf, type ClosePolicy } from "../../machines/wire/close-codes.ts";
import { type Generator, writeTable } from "./generator.ts";

/** What a dialer then does, in words. */
export const deeds: Readonly<Record<ClosePolicy, string>> = {
  resume: "resumes",
  wait: "waits as told, and resumes",
  renew: "begins another session",
  rest: "waits as told, and begins another session",
  stop: "stops",
};

export const closeCodeTable: Generator = {
  file: "docs/protocol.md",
  marker: "close-codes",
  render: () =>
    writeTable(
      ["code", "meaning", "the dialer then"],
      Object.entries(closeCodes).map(([code, { meaning }]) => [code, meaning, deeds[closePolicyOf(Number(code))]]),
    ),
};
