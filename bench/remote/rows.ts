import type { Results } from "../measuring/rounds.ts";
import type { Row } from "../suite.ts";
import { cells, idleLinks, oneWayBytes, resumedCount, stallMs } from "./scales.ts";

/** The ways of talking, as the table names them; the limit among them. */
export const titles: { readonly [arm: string]: string } = {
  troupe: "ours, remote ref",
  session: "ours, session alone",
  "raw ws": "ws echo",
  "socket.io": "socket.io",
  nats: "NATS request/reply",
  grpc: "gRPC unary",
  comedy: "comedy, remote actor",
};

export const limitArm = "raw ws";
export const oneWayName = "one way";

function ratesOf(results: Results, reading: string, of: { title: string; unit: string }): Row[] {
  return Object.entries(titles).flatMap(([arm, title]): Row[] => {
    const rate = results.median({ arm, reading });
    if (rate === undefined) return [];
    const cpu = results.median({ arm, reading: `${reading} cpu` });
    const ratio = results.ratio({ arm, reading }, { arm: limitArm, reading });
    const versus = arm === limitArm ? {} : { versus: [{ name: "ws echo", ratio: ratio?.value ?? null }] };
    const spent = cpu === undefined ? "" : `, ${cpu.value.toFixed(1)} µs of CPU each`;
    return [{ name: `${of.title}: ${title}${spent}`, value: rate.value, unit: of.unit, ...versus }];
  });
}

function plain(results: Results, row: { arm: string; reading: string; name: string; unit: string }): Row[] {
  const found = results.median(row);
  return found === undefined ? [] : [{ name: row.name, value: found.value, unit: row.unit }];
}

export function rowsOf(results: Results): Row[] {
  const unit = "/s by the wall clock";
  return [
    ...cells.flatMap(({ name }) => ratesOf(results, name, { title: name, unit })),
    ...ratesOf(results, oneWayName, { title: `one way, ${oneWayBytes} B`, unit }),
    ...[
      { arm: "stall", reading: "rss", name: `a peer stalled for ${stallMs} ms: sender's memory in all`, unit: "MiB" },
      { arm: "stall", reading: "grown", name: "of it since the stall", unit: "MiB" },
      { arm: "resume", reading: "resume", name: `resume with ${resumedCount} unacknowledged messages`, unit: "ms" },
      { arm: "idle, session", reading: "link", name: `one of ${idleLinks} idle links: ours`, unit: "bytes" },
      { arm: "idle, raw ws", reading: "link", name: `one of ${idleLinks} idle links: ws`, unit: "bytes" },
    ].flatMap((row) => plain(results, row)),
  ];
}
