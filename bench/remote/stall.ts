import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import type { Arm } from "../measuring/arm.ts";
import { endOther, startOther } from "./other-process.ts";
import { stallMs, token } from "./scales.ts";

const mebibyte = 1_048_576;
const sender = fileURLToPath(new URL("./stalled-sender.mjs", import.meta.url));
const told = z.object({ before: z.number(), most: z.number(), taken: z.number() });

/** A peer that is stopped while it is told as much as is taken: what the sender's memory comes to. */
export const stallPeer: Arm = async () => {
  const other = await startOther("troupe");
  const given = [`${other.port}`, `${other.child.pid}`, token, `${stallMs}`];
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", sender, ...given]);
  await endOther(other);
  const { before, most, taken } = told.parse(JSON.parse(stdout));
  return {
    rss: { value: most / mebibyte },
    grown: { value: (most - before) / mebibyte },
    taken: { value: taken },
  };
};
