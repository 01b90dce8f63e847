import { readFileSync } from "node:fs";
import { defineAgent } from "troupe";
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import * as document000 from "../fixtures/workflow/document-000.ts";
import * as document001 from "../fixtures/workflow/document-001.ts";
import * as document002 from "../fixtures/workflow/document-002.ts";
import * as document003 from "../fixtures/workflow/document-003.ts";
import { setScene, task, workflow, type Doing, type Scene, type SceneOptions } from "./scene.ts";

/** The agents of document 003, by the capabilities that its definitions ask for. */
const fine: { readonly [capability: string]: Doing } = {
  project_analysis: () => ({ scope: "small" }),
  task_planning: () => ({
    requiresScaffolding: true,
    projectType: "react",
    coreComponents: ["a"],
    utilityComponents: ["b"],
    tasks: [1],
    specifications: { uiComponents: ["u"], dataServices: ["d"] },
  }),
  page_operations: () => ({ url: "https://notes/1" }),
  project_scaffolding: () => ({ path: "/made" }),
  git_operations: () => ({ hash: "abc" }),
  component_generation: () => ({ result: "shaped" }),
  code_generation: () => ({ files: [] }),
  code_linting: () => ({ issues: [] }),
  code_transformation: () => ({ changed: 1 }),
  code_analysis: () => ({}),
  test_execution: () => ({ passed: true }),
  performance_optimization: () => ({}),
  deployment: () => ({ url: "https://app" }),
  file_operations: () => ({ path: "/out/x" }),
  command_execution: () => ({ result: "rows" }),
  template_management: () => ({}),
  specification_generation: () => ({}),
  documentation_review: () => ({}),
};

async function scene(doing: SceneOptions["doing"] = {}): Promise<Scene> {
  return setScene({ doing: { ...fine, ...doing }, shell: { command_execution: ["command"] } });
}

interface Played {
  readonly scene: Scene;
  readonly status: string;
  readonly outcome: any;
  readonly steps: readonly { readonly id: string; readonly status: string; readonly attempts: number }[];
  readonly visited: readonly string[];
}

/** Runs a definition, registered under its key as the document does, until it ends; time passes as it must. */
async function play(here: Scene, definition: unknown, key: string, input: object): Promise<Played> {
  await here.troupe.workflows.define(definition, { key });
  const run = await here.troupe.run(key, input);
  let isOver = false;
  const result = run.result().finally(() => (isOver = true));
  for (let turn = 0; turn < 1_200 && !isOver; turn += 1) await here.clock.advance(100);
  const outcome = await result;
  const { status } = await run.status();
  const steps = (await run.steps()).filter(({ runId }) => runId === run.id);
  return { scene: here, status, outcome, steps, visited: steps.map(({ id }) => id) };
}

const project = {
  requirements: "R",
  constraints: "C",
  priority: "high",
  projectName: "dashboard-app",
  projectPath: "/given",
};
const data = {
  fetchCommand: "curl x",
  backupFetchCommand: "cat y",
  transformations: ["t"],
  fallbackTransformations: ["f"],
  outputPath: "/out/x; rm -rf /",
  notificationEmail: "a@b.c",
};

describe("document 003, by value, on the engine", () => {
  test("project setup completes, with every step that its plan asks for", async () => {
    const {
      scene: here,
      outcome,
      visited,
    } = await play(await scene(), document003.projectSetup, "project_setup", project);
    expect(outcome).toMatchObject({ ok: true, value: { deploymentUrl: "https://app", projectPath: "/made" } });
    expect(visited).toContain("scaffold_project");
    expect(visited).not.toContain("fix_issues");
    expect(visited).not.toContain("fix_test_failures");
    expect(here.of("deployment")).toHaveLength(1);
    expect(here.of("page_operations").map(({ input }) => Object.keys(input))).not.toContainEqual(
      expect.arrayContaining(["error"]),
    );
    await here.close();
  });

  test("project setup mends what its review and its tests find", async () => {
    const here = await scene({ code_linting: () => ({ issues: ["i"] }), test_execution: () => ({ passed: false }) });
    const { outcome, visited } = await play(here, document003.projectSetup, "project_setup", project);
    expect(outcome.ok).toBe(true);
    expect(visited).toEqual(expect.arrayContaining(["fix_issues", "fix_test_failures"]));
    await here.close();
  });

  test("a failed deployment calls the handler's workflow, as often as its policy says, and the run fails", async () => {
    const here = await scene({
      deployment: ({ fail }) => fail("deploy/refused", "no"),
      log: ({ fail }) => fail("log/down", "no"),
    });
    await here.troupe.workflows.define({ ...workflow("log_error_to_notion", [task("log", "log")]) });
    const { outcome } = await play(here, document003.projectSetup, "project_setup", project);
    expect(outcome).toMatchObject({ ok: false, failure: { code: "deploy/refused" } });
    expect(here.of("log")).toHaveLength(3);
    await here.close();
  });

  test("a feature is implemented, with its name in the title of the commit", async () => {
    const input = { feature: "User Authentication", projectPath: "/p" };
    const { scene: here, outcome } = await play(
      await scene(),
      document003.implementFeature,
      "implement_feature",
      input,
    );
    expect(outcome).toMatchObject({ ok: true, value: { commitHash: "abc" } });
    expect(here.of("git_operations").at(-1)?.input).toMatchObject({ commitMessage: "Feature: User Authentication" });
    await here.close();
  });

  test("data processing completes, and no notice of an error is sent", async () => {
    const {
      scene: here,
      outcome,
      visited,
    } = await play(await scene(), document003.dataProcessing, "data_processing", data);
    expect(outcome.ok).toBe(true);
    expect(visited).toEqual(["fetch_data", "transform_data", "save_results", "send_notification"]);
    const commands = here.of("command_execution").map(({ input }) => input.command as string);
    expect(commands.filter((command) => command.includes("mail"))).toEqual([expect.stringContaining("successfully")]);
    await here.close();
  });

  test.each([
    [
      "says so with a code of its own",
      ({ fail }: { fail: (code: string, message: string) => never }) => fail("fetch/down", "no"),
    ],
    [
      "throws",
      () => {
        throw new Error("socket hang up");
      },
    ],
  ])("a fetch that %s is tried five times, and the backup is used", async (_how, breaks) => {
    let fetched = 0;
    const here = await scene({
      command_execution: (given) => {
        if (given.key?.includes("/fetch_data/") !== true) return { result: "backup" };
        fetched += 1;
        return breaks(given);
      },
    });
    const { outcome, steps, visited } = await play(here, document003.dataProcessing, "data_processing", data);
    expect(outcome).toMatchObject({ ok: true, value: { data: "backup" } });
    expect(fetched).toBe(5);
    expect(steps.find(({ id }) => id === "fetch_data")).toMatchObject({ status: "failed", attempts: 5 });
    expect(visited).toEqual([
      "fetch_data",
      "handle_fetch_error",
      "use_backup_data",
      "transform_data",
      "save_results",
      "send_notification",
    ]);
    await here.close();
  });

  test("a failed transformation falls back to the simple one", async () => {
    const here = await scene({
      component_generation: ({ input, fail }) =>
        input.transformations[0] === "t" ? fail("transform/bad", "no") : { result: "simple" },
    });
    const { outcome, visited } = await play(here, document003.dataProcessing, "data_processing", data);
    expect(outcome).toMatchObject({ ok: true, value: { transformedData: "simple" } });
    expect(visited).toEqual(expect.arrayContaining(["log_transform_error", "use_simple_transform"]));
    await here.close();
  });

  test("a failed save sends the notice of the error and no success; the path never becomes shell text", async () => {
    const here = await scene({ file_operations: ({ fail }) => fail("disk/full", "no") });
    const { outcome, visited } = await play(here, document003.dataProcessing, "data_processing", data);
    expect(outcome.ok).toBe(true);
    expect(visited.slice(-2)).toEqual(["handle_save_error", "send_error_notification"]);
    for (const { input } of here.of("command_execution")) expect(input.command).not.toContain("rm -rf");
    await here.close();
  });

  test("what no step takes goes to the global handler, once, and the run fails with the first error", async () => {
    const here = await scene({
      command_execution: ({ key, fail }) =>
        key?.includes("/send_notification/") === true ? fail("mail/down", "no") : { result: "r" },
    });
    await here.troupe.workflows.define(document003.globalErrorHandler, { key: "global_error_handler" });
    const { outcome } = await play(here, document003.dataProcessing, "data_processing", data);
    expect(outcome).toMatchObject({ ok: false, failure: { code: "mail/down" } });
    expect(here.of("page_operations").at(-1)?.input).toMatchObject({
      error: { code: "mail/down", message: "no" },
      workflow: "Data Processing Workflow",
      step: "send_notification",
    });
    expect(here.of("command_execution").at(-1)?.input.command).toContain("Critical error in workflow");
    await here.close();
  });
});

function fixture(name: string): unknown {
  return parse(readFileSync(new URL(`../fixtures/workflow/${name}`, import.meta.url), "utf8"));
}

/** Agents for every name that the definitions of the other documents ask for. */
const modes = [
  ..."mcp-researcher architect code tdd critic mcp-optimizer scorer reflection research design implement test review".split(
    " ",
  ),
  ..."optimize analyze generate_options assess_risks score recommend technical_research system_design".split(" "),
  ..."implementation testing code_review market_research compliance_research summary".split(" "),
  ..."analyze_requirements design_system_architecture validate_architecture analyze_breaking_changes".split(" "),
  ..."generate_migration_guide create_compatibility_layer notify_stakeholders monitor_pattern".split(" "),
  ..."sequential-thinking perplexity context7 serena claude-flow".split(" "),
];

describe("documents 000, 001 and 002, by value, on the engine", () => {
  const all: readonly (readonly [string, unknown, number])[] = [
    ["002: phases with tasks", fixture("full-stack-development.yaml"), 18],
    ["002: a phase with branches", fixture("technology-decision.yaml"), 15],
    ["000: actions", document000.architecture, 3],
    ["000: actions with a trigger", document000.breakingChange, 4],
    ["000: a strategy", document000.patternMonitor, 1],
    ["001: phases over servers", document001.multiServer, 6],
  ];
  const doing = Object.fromEntries(
    modes.map((mode): [string, Doing] => [mode, ({ input }) => ({ did: input.task ?? mode })]),
  );

  test.each(all)("%s completes, with one call for each of its tasks", async (_name, definition, calls) => {
    const here = await setScene({ doing });
    const { outcome } = await play(here, definition, "it", {});
    expect(outcome).toMatchObject({ ok: true });
    expect(here.seen).toHaveLength(calls);
    expect(new Set(here.seen.map(({ key }) => key)).size).toBe(calls);
    await here.close();
  });

  test("002: each template of a configuration is a workflow of its own", async () => {
    const here = await setScene({ doing });
    const defined = await here.troupe.workflows.define(fixture("orchestrator-config.yaml"));
    expect(defined.map(({ key }) => key).toSorted()).toEqual(["code_development", "research_decision"]);
    for (const { key } of defined) expect(await (await here.troupe.run(key, {})).result()).toMatchObject({ ok: true });
    expect(here.seen).toHaveLength(12);
    await here.close();
  });

  test("002: a triggered definition runs the workflow that handles its event, once for each event", async () => {
    const here = await setScene({ doing });
    await here.troupe.workflows.define(document002.adaptiveOptimization);
    for (const key of ["optimize_performance", "activate_recovery", "update_models"])
      await here.troupe.workflows.define(workflow(key, [task("only", "code", { input: { task: key } })]));
    await here.troupe.emit("error_threshold_exceeded", { rate: 0.4 }, { id: "e1" });
    await here.troupe.emit("error_threshold_exceeded", { rate: 0.4 }, { id: "e1" });
    await here.clock.advance(100);
    expect(here.seen.map(({ input }) => input.task)).toEqual(["activate_recovery"]);
    await here.close();
  });

  test("002: steps with a service and a tool go to that agent, and to no other that has the capability", async () => {
    const here = await setScene({ doing });
    const without = await play(here, document002.codeDevelopment, "it", {});
    expect(without.outcome).toMatchObject({ ok: false, failure: { code: "dispatch/no-agent" } });
    expect(here.seen).toEqual([]);
    const asked: string[] = [];
    for (const { service, tool } of document002.codeDevelopment.steps) {
      const agent = defineAgent({
        name: service,
        capabilities: { [tool]: { input: z.any(), output: z.any(), run: () => asked.push(`${service}.${tool}`) } },
      });
      await here.troupe.spawn(agent);
    }
    const { outcome } = await play(here, document002.codeDevelopment, "again", {});
    expect(outcome.ok).toBe(true);
    expect(asked).toEqual(document002.codeDevelopment.steps.map(({ service, tool }) => `${service}.${tool}`));
    expect(here.seen).toEqual([]);
    await here.close();
  });

  test("002: branches side by side run the steps that were put into them", async () => {
    const here = await setScene({ doing });
    for (const name of ["mcp-researcher", "critic"]) {
      const capabilities = ["technical_research", "market_research", "compliance_research", "summary"];
      const agent = defineAgent({
        name,
        capabilities: Object.fromEntries(
          capabilities.map((tool) => [tool, { input: z.any(), output: z.any(), run: () => `${name}.${tool}` }]),
        ),
      });
      await here.troupe.spawn(agent);
    }
    const { outcome } = await play(here, document002.multiPerspectiveFilled, "it", {});
    expect(outcome.value.branches).toEqual({
      technical: "mcp-researcher.technical_research",
      market: "mcp-researcher.market_research",
      regulatory: "critic.summary",
    });
    await here.close();
  });
});
