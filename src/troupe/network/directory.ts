import { z } from "zod";

/** Where a node answers for itself. No actor has a path like these. */
export const directoryPath = "node:agents";
export const controlPath = "node:control";

/** Agents that one node lists to a peer; capabilities are listed in full. */
export const listedAgentsMax = 1_000;

const listedAgent = z.object({
  path: z.string().max(256),
  name: z.string().max(256),
  incarnation: z.int(),
  state: z.string().max(64),
  capabilities: z.array(z.string().max(128)).max(1_000),
});

export const listing = z.object({
  /** Capabilities that somebody there offers now. */
  capabilities: z.array(z.string().max(128)).max(100_000),
  agents: z.array(listedAgent).max(listedAgentsMax),
});

/** What a node shows of itself to a peer: no more than the peer is granted. */
export type Listing = z.infer<typeof listing>;
/** One agent of another node. */
export type ListedAgent = Listing["agents"][number];

export const controlVerbs = ["stop", "pause", "resume", "kill"] as const;
export type ControlVerb = (typeof controlVerbs)[number];
export const controlOrder = z.object({
  path: z.string().max(256),
  verb: z.enum(controlVerbs),
  reason: z.string().max(1_024).exactOptional(),
});
