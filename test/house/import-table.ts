/**
 * Who may import whom. This table is the law: `test/architecture.test.ts` keeps it, and `npm run docs` writes it
 * into ARCHITECTURE.md. Source: docs/decisions/0001 (layout and floors).
 */

/** One room: a folder, or the files that lie directly in a top folder. */
interface Room {
  readonly room: string;
  /** 0 is the law, 6 the views; tenants, doors and tests stand outside the house and have none. */
  readonly floor?: number;
  /** "lower": every room on a lower floor. A list: those rooms and nothing else; `*` stands for one folder. */
  readonly imports: "lower" | "anything" | readonly string[];
  /** Rooms of the same floor that it may import as well. */
  readonly beside?: readonly string[];
  /** Rooms and doors that it reaches by `await import(…)` only, so that they cost nothing until used. */
  readonly lazily?: readonly string[];
  /** Doors of the package that it may import by name, as a user does. */
  readonly doors?: readonly string[];
}

const views = ["src/inspect", "src/dashboard", "src/mcp-server"];
/** What a view may see of the floors below: the law, the ports and the stream. */
const seen = ["machines", "machines/*", "src/errors", "src/ports", "src/stream"];

export const rooms: readonly Room[] = [
  { room: "machines", floor: 0, imports: [] },
  { room: "machines/agent", floor: 0, imports: ["machines"] },
  { room: "machines/supervision", floor: 0, imports: ["machines"] },
  { room: "machines/mailbox", floor: 0, imports: ["machines"] },
  { room: "machines/call", floor: 0, imports: ["machines"] },
  { room: "machines/breaker", floor: 0, imports: ["machines"] },
  { room: "machines/swarm", floor: 0, imports: ["machines"] },
  { room: "machines/journal", floor: 0, imports: ["machines"] },
  { room: "machines/consensus", floor: 0, imports: ["machines"] },
  { room: "machines/wire", floor: 0, imports: ["machines"] },
  { room: "machines/session", floor: 0, imports: ["machines"], beside: ["machines/wire"] },
  { room: "machines/pool", floor: 0, imports: ["machines"], beside: ["machines/breaker"] },
  { room: "machines/workflow", floor: 0, imports: ["machines"], beside: ["machines/call"] },
  { room: "machines/index", floor: 0, imports: ["machines", "machines/*"] },

  { room: "src/errors", floor: 1, imports: "lower" },
  { room: "src/ports", floor: 1, imports: "lower", beside: ["src/errors"] },
  { room: "src/system", floor: 2, imports: "lower" },
  { room: "src/agent", floor: 2, imports: "lower", beside: ["src/system"] },
  { room: "src/store", floor: 2, imports: "lower" },
  { room: "src/listen", floor: 2, imports: "lower" },
  { room: "src/remote", floor: 2, imports: "lower", beside: ["src/listen"] },
  { room: "src/dispatch", floor: 3, imports: "lower" },
  { room: "src/consensus", floor: 3, imports: "lower", beside: ["src/dispatch"] },
  { room: "src/workflow", floor: 4, imports: "lower" },
  { room: "src/mcp", floor: 4, imports: "lower" },
  { room: "src/memory", floor: 4, imports: "lower" },
  { room: "src/stream", floor: 5, imports: ["machines", "machines/*", "src/errors", "src/ports"] },
  { room: "src/troupe", floor: 5, imports: "lower", beside: ["src/stream"], lazily: views },
  { room: "src/inspect", floor: 6, imports: [...seen, "src/listen"] },
  { room: "src/dashboard", floor: 6, imports: [...seen, "src/listen"], beside: ["src/inspect"] },
  { room: "src/mcp-server", floor: 6, imports: [...seen, "src/listen"] },
  { room: "src/cli", floor: 6, imports: "lower", lazily: [...views, "troupe/agents"] },
  { room: "src/testing", floor: 6, imports: "lower" },
  { room: "src/index", floor: 6, imports: "lower" },

  { room: "agents/project", imports: [], doors: ["troupe"] },
  { room: "agents", imports: ["agents/project"], doors: ["troupe"] },
  { room: "agents/*", imports: ["agents/project", "agents"], doors: ["troupe"] },
  { room: "agents/index", imports: ["agents/*", "agents"], doors: ["troupe"] },
  { room: "examples", imports: [], doors: ["troupe", "troupe/*"] },
  { room: "examples/*", imports: [], doors: ["troupe", "troupe/*"] },
  { room: "bin", imports: [], lazily: ["dist"] },
  { room: "bench", imports: "anything", doors: ["troupe", "troupe/*"] },
  { room: "bench/*", imports: "anything", doors: ["troupe", "troupe/*"] },
  { room: "docs", imports: "anything", doors: ["troupe", "troupe/*"] },
  { room: "docs/*", imports: "anything", doors: ["troupe", "troupe/*"] },
  { room: "test", imports: "anything", doors: ["troupe", "troupe/*"] },
  { room: "test/*", imports: "anything", doors: ["troupe", "troupe/*"] },
];

/** Who owns a package or a node: module. One owner each; a second one is written here with its reason. */
interface Owner {
  readonly module: string;
  readonly rooms: readonly string[];
  readonly why: string;
}

export const owners: readonly Owner[] = [
  {
    module: "zod",
    rooms: ["machines", "machines/*", "src/*", "agents", "agents/*", "examples", "examples/*"],
    why: "guards every boundary",
  },
  { module: "xstate", rooms: ["machines", "machines/*", "src/*", "examples"], why: "charts, actors and their types" },
  {
    module: "immer",
    rooms: ["machines", "machines/*", "src/dispatch", "src/troupe", "src/workflow"],
    why: "cold state and its patches",
  },
  { module: "jsep", rooms: ["machines/workflow"], why: "parses workflow expressions" },
  { module: "@jsep-plugin/object", rooms: ["machines/workflow"], why: "object literals in expressions" },
  { module: "@jsep-plugin/template", rooms: ["machines/workflow"], why: "template literals in expressions" },
  { module: "yaml", rooms: ["src/workflow"], why: "definitions in YAML, with line numbers" },
  { module: "@dagrejs/dagre", rooms: ["src/workflow"], why: "layers the pictures of workflows" },
  { module: "croner", rooms: ["src/workflow"], why: "when a cron line is due, in any time zone" },
  { module: "ws", rooms: ["src/remote", "src/inspect"], why: "WebSocket to other nodes, and to the inspector" },
  { module: "msgpackr", rooms: ["src/remote"], why: "binary frames between nodes" },
  { module: "@statelyai/inspect", rooms: ["src/inspect"], why: "the Stately Inspector" },
  {
    module: "@modelcontextprotocol/sdk",
    rooms: ["src/mcp", "src/mcp-server"],
    why: "the client and the server of MCP",
  },
  { module: "vitest", rooms: [], why: "tests only" },
  { module: "node:crypto", rooms: ["src/*"], why: "randomness, digests and signatures" },
  { module: "node:fs", rooms: ["src/*", "bin"], why: "files" },
  { module: "node:fs/promises", rooms: ["src/*"], why: "files" },
  {
    module: "node:http",
    rooms: ["src/listen", "src/remote", "src/dashboard", "src/mcp-server", "src/inspect"],
    why: "listening is policed in one place",
  },
  { module: "node:https", rooms: ["src/listen"], why: "listening is policed in one place" },
  { module: "node:tls", rooms: ["src/listen"], why: "certificates are read in one place" },
  { module: "node:path", rooms: ["src/*"], why: "pure" },
  { module: "node:url", rooms: ["src/*", "bin"], why: "pure" },
  { module: "node:util", rooms: ["src/*"], why: "parseArgs and styleText" },
  { module: "node:sqlite", rooms: ["src/store"], why: "the embedded store" },
  { module: "node:worker_threads", rooms: ["src/store"], why: "SQLite blocks, so it runs beside the main thread" },
  { module: "node:async_hooks", rooms: ["src/system"], why: "the context of a call" },
  {
    module: "node:child_process",
    rooms: ["src/mcp", "src/cli", "src/testing"],
    why: "MCP servers on stdio; doctor asks for git, and the simulator asks it for the commit",
  },
  { module: "node:os", rooms: ["src/cli"], why: "what doctor reports" },
];

/** What floor 0 takes from XState: charts and their builders, nothing that runs them. */
export const pureXstate: readonly string[] = ["setup", "createMachine", "assign", "enqueueActions", "raise"];

/** Names that say nothing about what is inside. */
export const emptyNames: readonly string[] = [
  "utils",
  "util",
  "helpers",
  "helper",
  "common",
  "misc",
  "manager",
  "base",
  "impl",
  "types",
  "shared",
];

/** Longest file in lines, of source and of tests (docs/decisions/0001). */
export const linesMax = 400;
/** Most files directly in one folder of source; a fuller folder is two ideas. */
export const folderFilesMax = 20;
