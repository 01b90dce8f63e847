import { describe, expect, test } from "vitest";
import type { Definition } from "../../../machines/workflow/definition.ts";
import { countNodes, drawDefinition } from "../../../machines/workflow/picture/draw.ts";
import type { PictureList } from "../../../machines/workflow/picture/picture.ts";
import { readDefinition } from "../../../machines/workflow/read/definition.ts";
import { placePicture, type Box, type PlacedList } from "../../../src/workflow/picture/layout.ts";
import { toMermaid } from "../../../src/workflow/picture/mermaid.ts";
import { toSvg } from "../../../src/workflow/picture/svg.ts";
import * as document002 from "../../fixtures/workflow/document-002.ts";
import * as document003 from "../../fixtures/workflow/document-003.ts";

const task = (id: string, rest: object = {}): object => ({ id, type: "task", capability: "work", ...rest });

function read(authored: unknown): Definition {
  const { definitions, problems } = readDefinition(authored);
  const [first] = definitions;
  if (first === undefined) throw new Error(JSON.stringify(problems));
  return first;
}

/** One of everything, some of it nested. */
const everything = read({
  name: "Everything",
  version: "2",
  triggers: [{ event: "push", match: "$.output.branch == 'main'" }],
  schedules: [{ every: "1 h" }],
  errorHandlers: [
    { error: ["call/*"], handler: "mend" },
    { error: "*", handler: "alarm" },
  ],
  steps: [
    task("fetch", {
      name: "Fetch it",
      retry: { attempts: 3, strategy: "linear", first: "2 s" },
      timeout: "30 s",
      compensate: "forget",
      condition: "$.input.url != null",
      onError: [{ error: "call/timeout", next: "mend" }, { action: "continue" }],
      checkpoint: true,
      next: "choose",
    }),
    {
      id: "choose",
      type: "decision",
      decision: { expression: "$.input.size", branches: { big: "split", small: "one" }, default: "$fail" },
    },
    {
      id: "split",
      type: "parallel",
      parallel: {
        branches: [
          { id: "left", name: "The left", steps: [task("l1"), task("l2")] },
          { id: "right", name: "The right", steps: [task("r1")] },
          { id: "both", name: "After both", after: ["left", "right"], steps: [task("b1")] },
        ],
      },
      next: "each",
    },
    {
      id: "each",
      type: "map",
      map: {
        over: "$.input.items",
        steps: [
          task("item", { next: [{ when: "$.item.ok", to: "again" }] }),
          {
            id: "again",
            type: "loop",
            loop: { times: 3, steps: [task("round"), { id: "pause", type: "wait", wait: { for: 1000 } }] },
          },
        ],
      },
      next: "ask",
    },
    { id: "one", type: "subworkflow", subworkflow: { workflow: "other" }, next: "ask" },
    { id: "ask", type: "event", event: { name: "approval" }, next: "$end" },
    task("mend", { next: "$end" }),
  ],
});

const pictured: readonly (readonly [string, Definition])[] = [
  ["one of everything", everything],
  ...Object.entries({ ...document003, ...document002 }).flatMap(([name, authored]) =>
    readDefinition(authored).definitions.map((definition): [string, Definition] => [name, definition]),
  ),
];

function ids({ nodes }: PictureList): string[] {
  return nodes.flatMap(({ id, lists }) => [id, ...lists.flatMap(ids)]);
}

describe("a picture", () => {
  test("shows every step once, with what is worth knowing", () => {
    const { list, starters, title } = drawDefinition(everything);
    expect(title).toBe("Everything, version 2");
    expect(starters).toEqual(["event push where $.output.branch == 'main'", "every 1 h"]);
    expect(ids(list)).toEqual([
      "$start",
      "fetch",
      "choose",
      "split",
      "split/left/l1",
      "split/left/l2",
      "split/right/r1",
      "split/both/b1",
      "each",
      "each/0/item",
      "each/0/again",
      "each/0/again/0/round",
      "each/0/again/0/pause",
      "each/0/$end",
      "one",
      "ask",
      "mend",
      "$end",
      "$fail",
      "$failure0",
      "$failure1",
      "$handler1",
    ]);
    expect(countNodes(list)).toBe(ids(list).length);
    expect(list.nodes.find(({ id }) => id === "fetch")).toMatchObject({
      title: "Fetch it",
      notes: [
        "work",
        "only if $.input.url != null",
        "up to 3 attempts, linear from 2 s",
        "at most 30 s",
        "on any failure: goes on",
        "undone by forget",
        "checkpoint",
      ],
    });
  });

  test("shows where each step leads, and why", () => {
    const { arrows, nodes } = drawDefinition(everything).list;
    expect(
      arrows.map(({ from, to, label, isFailure }) => `${from} ${isFailure ? "~>" : "->"} ${to} ${label}`.trim()),
    ).toEqual([
      "$start -> fetch",
      "fetch -> choose",
      "fetch ~> mend on call/timeout",
      "choose -> split big",
      "choose -> one small",
      "choose -> $fail otherwise",
      "split -> each",
      "each -> ask",
      "one -> ask",
      "ask -> $end",
      "mend -> $end",
      "$failure0 ~> mend",
      "$failure1 ~> $handler1",
    ]);
    expect(nodes.find(({ id }) => id === "split")?.lists.map(({ after }) => after)).toEqual([
      [],
      [],
      ["The left", "The right"],
    ]);
  });

  test.each(pictured)("of %s leads only to what is in it", (_name, definition) => {
    const check = ({ nodes, arrows }: PictureList): void => {
      const known = new Set(nodes.map(({ id }) => id));
      for (const { from, to } of arrows)
        expect([known.has(from), known.has(to)], `${from} -> ${to}`).toEqual([true, true]);
      for (const { lists } of nodes) for (const list of lists) check(list);
    };
    check(drawDefinition(definition).list);
  });
});

function overlap(one: Box, other: Box): boolean {
  const slack = 0.5;
  return (
    one.x + one.width > other.x + slack &&
    other.x + other.width > one.x + slack &&
    one.y + one.height > other.y + slack &&
    other.y + other.height > one.y + slack
  );
}

function inside(inner: Box, outer: { width: number; height: number }): boolean {
  return (
    inner.x >= 0 &&
    inner.y >= 0 &&
    inner.x + inner.width <= outer.width + 1 &&
    inner.y + inner.height <= outer.height + 1
  );
}

function checkPlaces(list: PlacedList): void {
  const boxes = list.nodes.map((node): [string, Box] => [node.node.id, node]);
  for (const [at, [id, box]] of boxes.entries()) {
    expect(inside(box, list), `${id} stands out of its list`).toBe(true);
    for (const [other, otherBox] of boxes.slice(at + 1))
      expect(overlap(box, otherBox), `${id} covers ${other}`).toBe(false);
  }
  for (const { arrow, label } of list.arrows)
    for (const [id, box] of boxes)
      if (label !== undefined) expect(overlap(label, box), `the label ${arrow.label} covers ${id}`).toBe(false);
  for (const node of list.nodes) {
    for (const [at, inner] of node.lists.entries()) {
      expect(inside(inner, node), `a list stands out of ${node.node.id}`).toBe(true);
      for (const other of node.lists.slice(at + 1))
        expect(overlap(inner, other), `lists of ${node.node.id}`).toBe(false);
      checkPlaces(inner);
    }
  }
}

describe("an SVG picture", () => {
  test.each(pictured)("of %s covers nothing with anything else", (_name, definition) => {
    checkPlaces(placePicture(drawDefinition(definition)));
  });

  test("is well-formed and shows hostile names as text", () => {
    const name = `<script>alert("&")</script>\u0000\u202e${"very long ".repeat(40)}`;
    const svg = toSvg(drawDefinition(read({ name, steps: [task("a", { name, description: "]]>" })] })));
    for (const hidden of ["<script", "\u0000", "\u202e"]) expect(svg).not.toContain(hidden);
    const open: string[] = [];
    for (const [, slash, tag = "", closed] of svg.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/gi))
      if (slash === "/") expect(open.pop()).toBe(tag);
      else if (closed !== "/") open.push(tag);
    expect(open).toEqual([]);
    expect(svg.replace(/<[^<>]*>/g, "")).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;)/);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe("Mermaid text", () => {
  test("has every step, its arrows and its boxes", () => {
    const text = toMermaid(drawDefinition(everything));
    expect(text).toMatch(/^---\ntitle: "Everything, version 2"\n---\nflowchart TD\n/);
    for (const title of ["Fetch it", "The left", "After both", "alarm"]) expect(text).toContain(title);
    expect(text.match(/^\s*subgraph /gm)).toHaveLength(6);
    expect(text.match(/^\s*end$/gm)).toHaveLength(6);
    expect(text).toContain('-.->|"on call/timeout"|');
  });

  test("takes nothing of a name for its own syntax", () => {
    const name = 'x"] --> y; end %%{init}%% `z` <b>';
    const text = toMermaid(drawDefinition(read({ name: "n", steps: [task("a", { name })] })));
    expect(text).toContain("x#34;#93;");
    expect(text).not.toContain('x"]');
  });
});
