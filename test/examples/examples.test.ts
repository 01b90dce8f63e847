import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const folder = join(import.meta.dirname, "../../examples");

/** What each example prints, line by line. */
const printed: { readonly [file: string]: readonly string[] } = {
  "01-hello.ts": ["Hello, Ada, says /greeter/1", "Hello, Grace, says /greeter/2", "call/invalid-input"],
  "02-supervision.ts": [
    "frame welded",
    "agent/crashed",
    "fork welded",
    "wheel welded",
    "monitor heard: crashed",
    "same path /workshop/worker, new incarnation: true",
  ],
  "03-swarm-mesh.ts": ['{"approach":"by length","shares":[["plum","pear"],["fig","cherry"],["apricot"]]}'],
  "04-swarm-hierarchy.ts": [
    "/swarm-1/level-0-chief/chief",
    "  /swarm-1/level-1-lead/lead-1",
    "  /swarm-1/level-1-lead/lead-2",
    "    /swarm-1/level-2-worker/worker-1",
    "    /swarm-1/level-2-worker/worker-2",
    "    /swarm-1/level-2-worker/worker-3",
    "    /swarm-1/level-2-worker/worker-4",
    "1 of 4 parts",
    "2 of 4 parts",
    "3 of 4 parts",
    "4 of 4 parts",
    "14 words",
    "swarm/not-linked",
  ],
  "05-decision.ts": [
    "decided canary agreement 0.75",
    "quorum 3 of 4, dissent: sales/1",
    "{",
    "  ok: true,",
    "  option: 'canary',",
    "  weight: 3,",
    "  members: [ 'ops/1', 'security/1', 'ux/1' ]",
    "}",
  ],
  "06-own-machine.ts": [
    "{ ok: true, value: 'unlocked' }",
    "{ ok: true, value: { state: 'locked', coins: 1 } }",
    "/ (supervisor), /gate (supervisor), /gate/1 (gate)",
  ],
  "07-weights-and-a-liar.ts": [
    "W 10, quorum 7, F_safe 3, F_live 3, vetoers: 0",
    "decided fix support 7 of 10",
    "void 2, margin 1",
    "{ ok: true, voter: 'rogue/1' }",
  ],
  "08-verify-offline.ts": [
    "{ ok: true, option: 'yes', weight: 3, members: [ 'ann', 'bob', 'cy' ] }",
    "{ ok: false, reason: 'ballot-signature' }",
  ],
  "09-bft-panel.ts": ["decided migrate by 5 of 6", "the certificate holds: true decided", "convicted: [ 'rogue/1' ]"],
  "10-two-processes.ts": [
    "north offers greet",
    "Hello, Ada, says /greeter/1",
    "call/invalid-input",
    "monitor heard: noconnection",
    "remote/unreachable",
  ],
  "11-remote-voter.ts": [
    "decided yes dissent: dee",
    "{ ok: true, option: 'yes', weight: 3, members: [ 'ann', 'bob', 'cy' ] }",
  ],
  "12-supervision-across-nodes.ts": [
    "/press/printer runs on east: page 1 of east",
    "east was killed in the middle of a page: remote/indeterminate",
    "monitor heard: crashed, remote/unreachable",
    "/press/printer runs on west: page 1 of west",
  ],
};

test("every example in the folder is run here", () => {
  expect(readdirSync(folder).filter((file) => file.endsWith(".ts"))).toEqual(Object.keys(printed));
});

test.concurrent.each(Object.entries(printed))("%s prints what it promises and ends by itself", async (file, lines) => {
  const { stdout, stderr } = await run(process.execPath, ["--conditions=troupe-source", join(folder, file)]);
  expect(stderr).toBe("");
  expect(stdout.trimEnd().split("\n")).toEqual(lines);
});
