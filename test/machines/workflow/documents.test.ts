import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { compile } from "../../../machines/workflow/compile/compile.ts";
import type { Json } from "../../../machines/failure.ts";
import type { CompiledWorkflow } from "../../../machines/workflow/compiled.ts";
import { readDefinition } from "../../../machines/workflow/read/definition.ts";
import type { Problem } from "../../../machines/workflow/read/problem.ts";
import * as document000 from "../../fixtures/workflow/document-000.ts";
import * as document001 from "../../fixtures/workflow/document-001.ts";
import * as document002 from "../../fixtures/workflow/document-002.ts";
import * as document003 from "../../fixtures/workflow/document-003.ts";
import { Bench, type BenchOptions } from "./bench.ts";

function fixture(name: string): unknown {
  return parse(readFileSync(new URL(`../../fixtures/workflow/${name}`, import.meta.url), "utf8"));
}

function read(value: unknown, key?: string): { workflows: CompiledWorkflow[]; problems: readonly Problem[] } {
  const { definitions, problems } = readDefinition(value, key === undefined ? {} : { key });
  return { workflows: definitions.map((definition) => compile(definition)), problems };
}

function only(value: unknown, key?: string): CompiledWorkflow {
  const { workflows, problems } = read(value, key);
  const [workflow] = workflows;
  if (workflow === undefined) throw new Error(JSON.stringify(problems));
  return workflow;
}

function warnings(problems: readonly Problem[]): readonly string[] {
  expect(problems.every(({ severity }) => severity === "warning")).toBe(true);
  return problems.map(({ message }) => message);
}

describe("document 003: project setup", () => {
  const workflow = only(document003.projectSetup, "project_setup");
  const input = {
    requirements: "R",
    constraints: "C",
    priority: "high",
    projectName: "dashboard-app",
    projectPath: "/given",
  };
  const plan = (requiresScaffolding: Json): NonNullable<BenchOptions["agents"]> => ({
    task_planning: {
      requiresScaffolding,
      projectType: "react",
      coreComponents: ["a"],
      utilityComponents: ["b"],
    },
    project_scaffolding: { path: "/made" },
    code_linting: { issues: [] },
    test_execution: { passed: true },
    deployment: { url: "https://x" },
  });

  test("it validates, and says what it assumed", () => {
    const { problems } = read(document003.projectSetup, "project_setup");
    expect(warnings(problems)).toEqual([
      expect.stringContaining("assumed that it retries the handler"),
      expect.stringContaining("there is no step `log_error_to_notion`: assumed that it is the key of a workflow"),
    ]);
  });

  test("the way with scaffolding runs to completion, with the values that the document maps", () => {
    const bench = new Bench(workflow, { input, agents: plan(true) }).run();
    expect(bench.phase).toBe("completed");
    expect(bench.started).toEqual([
      "analyze_requirements",
      "create_plan",
      "document_plan",
      "setup_decisions",
      "scaffold_project",
      "setup_repository",
      "generate_components",
      "generate_core",
      "generate_utils",
      "review_code",
      "handle_review_results",
      "run_tests",
      "check_test_results",
      "optimize_performance",
      "document_project",
      "deploy_project",
    ]);
    expect(bench.taskOf("setup_repository").input).toEqual({ path: "/made", initialize: true });
    expect(bench.taskOf("generate_core").input).toEqual({ components: ["a"], path: "/made" });
    expect(bench.taskOf("review_code").input).toEqual({ files: "/made/**/*.{js,ts,jsx,tsx}" });
    expect(bench.taskOf("run_tests").input).toEqual({ path: "/made", testPattern: "**/*.test.{js,ts}" });
    expect(bench.output).toMatchObject({ deploymentUrl: "https://x", projectPath: "/made", issues: [] });
  });

  test("a truthy value that is not a boolean takes the branch true", () => {
    const bench = new Bench(workflow, { input, agents: plan("yes") }).run();
    expect(bench.started).toContain("scaffold_project");
  });

  test("without scaffolding the document's own expression has nothing to join, and the failure names the path", () => {
    const bench = new Bench(workflow, { input, agents: plan(false) }).run();
    expect(bench.phase).toBe("failed");
    expect(bench.started).not.toContain("scaffold_project");
    expect(bench.taskOf("setup_repository").input).toMatchObject({ path: "/given" });
    expect(bench.failure).toMatchObject({
      code: "workflow/expression",
      message: expect.stringContaining("$.variables.projectPath is not there") as string,
    });
    expect(bench.state.context.failedPath).toBe("review_code");
  });

  test("issues and failed tests take the ways that mend them", () => {
    const agents = { ...plan(true), code_linting: { issues: [{}] }, test_execution: { passed: false } };
    const bench = new Bench(workflow, { input, agents }).run();
    expect(bench.phase).toBe("completed");
    expect(bench.started).toContain("fix_issues");
    expect(bench.started).toContain("fix_test_failures");
  });

  test("an error runs the handler's workflow, tried again by its policy; without it the run fails all the same", () => {
    const agents = { ...plan(true), deployment: { fail: { code: "agent/crashed", message: "boom" } } };
    const bench = new Bench(workflow, { input, agents }).run();
    expect(bench.phase).toBe("failed");
    expect(bench.failure?.code).toBe("agent/crashed");
    expect([...bench.children.values()].map(({ effect }) => effect.workflow)).toEqual(
      Array.from({ length: 3 }, () => "log_error_to_notion"),
    );
  });
});

describe("document 003: feature implementation", () => {
  test("it runs to completion, and the title of the commit has the feature's name in it", () => {
    const workflow = only(document003.implementFeature, "implement_feature");
    expect(read(document003.implementFeature).problems).toEqual([]);
    const agents = {
      task_planning: { tasks: [1], specifications: { uiComponents: ["u"], dataServices: ["d"] } },
      code_linting: { issues: [] },
      git_operations: { hash: "abc" },
      page_operations: { url: "n" },
    };
    const bench = new Bench(workflow, { input: { feature: "User Authentication", projectPath: "/p" }, agents }).run();
    expect(bench.phase).toBe("completed");
    expect(bench.taskOf("commit_changes").input).toEqual({
      path: "/p",
      commitMessage: "Feature: User Authentication",
      files: "all",
    });
    expect(bench.taskOf("create_ui_components").input).toEqual({ components: ["u"], path: "/p/src/components" });
    expect(bench.taskOf("review_implementation").input).toEqual({ files: ["/p/src/components", "/p/src/services"] });
    expect(bench.output).toMatchObject({ commitHash: "abc" });
    expect(bench.started.filter((step) => step.startsWith("create_"))).toEqual([
      "create_ui_components",
      "create_data_services",
      "create_tests",
    ]);
  });
});

describe("document 003: data processing and its error handler", () => {
  const workflow = only(document003.dataProcessing, "data_processing");
  const handler = only(document003.globalErrorHandler, "global_error_handler");
  const input = {
    fetchCommand: "curl x",
    backupFetchCommand: "cat y",
    transformations: ["t"],
    fallbackTransformations: ["f"],
    outputPath: "/out/x; rm -rf /",
    notificationEmail: "a@b.c",
  };
  const fine: NonNullable<BenchOptions["agents"]> = {
    command_execution: { result: "rows" },
    component_generation: { result: "shaped" },
    file_operations: { path: "/out/x" },
    page_operations: { url: "n" },
  };
  const fail = (code = "call/rejected") => ({ fail: { code, message: "no", retry: "later" as const } });

  test("when all goes well, success is told and the error notice is not sent", () => {
    const bench = new Bench(workflow, { input, agents: fine, workflows: { global_error_handler: handler } }).run();
    expect(bench.phase).toBe("completed");
    expect(bench.started).toEqual(["fetch_data", "transform_data", "save_results", "send_notification"]);
    expect(bench.started).not.toContain("send_error_notification");
    expect(bench.taskOf("send_notification").input).toEqual({
      command: 'echo "Data processing completed successfully" | mail -s "Success" a@b.c',
    });
  });

  test("a fetch that fails five times, with delays of 1, 2, 4 and 8 seconds, goes to the backup", () => {
    const agents = {
      ...fine,
      command_execution: (task: { step: string }) => (task.step === "fetch_data" ? fail() : { result: "backup" }),
    };
    const bench = new Bench(workflow, { input, agents, workflows: { global_error_handler: handler } }).run();
    expect(bench.phase).toBe("completed");
    expect(bench.tasks.filter(({ step }) => step === "fetch_data").map(({ taskId }) => taskId)).toEqual(
      [1, 2, 3, 4, 5].map((attempt) => `run-1/fetch_data/1/${attempt}`),
    );
    expect(bench.effects.flatMap((effect) => (effect.type === "startTimer" ? [effect.dueAt - 1_000_000] : []))).toEqual(
      [1_000, 3_000, 7_000, 15_000],
    );
    expect(bench.started).toEqual([
      "fetch_data",
      "handle_fetch_error",
      "use_backup_data",
      "transform_data",
      "save_results",
      "send_notification",
    ]);
    expect(bench.taskOf("handle_fetch_error").input).toMatchObject({
      error: { code: "call/rejected", message: "no", step: "fetch_data" },
      step: "fetch_data",
    });
    expect(bench.taskOf("transform_data").input).toMatchObject({ data: "backup" });
  });

  test("a failed transformation falls back to the simple one", () => {
    const agents = {
      ...fine,
      component_generation: (task: { step: string }) =>
        task.step === "transform_data" ? fail() : { result: "simple" },
    };
    const bench = new Bench(workflow, { input, agents, workflows: { global_error_handler: handler } }).run();
    expect(bench.started).toEqual([
      "fetch_data",
      "transform_data",
      "log_transform_error",
      "use_simple_transform",
      "save_results",
      "send_notification",
    ]);
    expect(bench.taskOf("save_results").input).toMatchObject({ data: "simple" });
  });

  test("a failed save sends the error notice and not the success; values stay out of the shell text", () => {
    const agents = { ...fine, file_operations: fail() };
    const compiled = compile(workflow.definition, {
      shellFields: ({ capability }) => (capability === "command_execution" ? ["command"] : []),
    });
    const bench = new Bench(compiled, { input, agents, workflows: { global_error_handler: handler } }).run();
    expect(bench.phase).toBe("completed");
    expect(bench.started.slice(-2)).toEqual(["handle_save_error", "send_error_notification"]);
    expect(bench.started).not.toContain("send_notification");
    const { input: asked, env } = bench.taskOf("handle_save_error");
    expect(asked).toEqual({
      command: 'mkdir -p $(dirname "${TROUPE_1}") && echo "Error saving data" > "${TROUPE_2}".error.log',
    });
    expect(env).toEqual({ TROUPE_1: "/out/x; rm -rf /", TROUPE_2: "/out/x; rm -rf /" });
  });

  test("an error that no step takes runs the global handler with the error, and the run fails", () => {
    const agents = {
      ...fine,
      command_execution: (task: { step: string }) => (task.step === "send_notification" ? fail() : { result: "r" }),
    };
    const bench = new Bench(workflow, { input, agents, workflows: { global_error_handler: handler } }).run();
    expect(bench.phase).toBe("failed");
    const [child] = bench.children.values();
    expect(child?.bench?.phase).toBe("completed");
    expect(child?.bench?.taskOf("log_error").input).toEqual({
      error: expect.objectContaining({ code: "call/rejected", message: "no" }) as unknown,
      workflow: "Data Processing Workflow",
      execution: "run-1",
      step: "send_notification",
      severity: "high",
    });
    expect(child?.bench?.taskOf("notify_admin").input).toEqual({
      command:
        'echo "Critical error in workflow Data Processing Workflow at step send_notification: no" | mail -s "Critical Workflow Error" admin@example.com',
    });
  });
});

describe("document 002", () => {
  test("phases with tasks run in the order of their dependencies, side by side where they are parallel", () => {
    const value = fixture("full-stack-development.yaml");
    expect(warnings(read(value).problems)).toEqual([]);
    const bench = new Bench(only(value), {
      agents: { "*": (task) => ({ did: (task.input as { task: string }).task }) },
    }).run();
    expect(bench.phase).toBe("completed");
    expect(bench.calls).toEqual(
      ["mcp-researcher", "architect", "code", "tdd", "critic", "mcp-optimizer"].flatMap((mode) => [mode, mode, mode]),
    );
    expect(bench.tasks[3]?.input).toEqual({
      task: "System architecture design",
      phase: "Design Phase",
      context: {
        "Research Phase": {
          research_phase_technology_stack_evaluation: { did: "Technology stack evaluation" },
          research_phase_best_practices_research: { did: "Best practices research" },
          research_phase_performance_benchmarking: { did: "Performance benchmarking" },
        },
      },
    });
    expect(bench.compiled.config.states?.["implementation_phase"]?.type).toBe("parallel");
    expect(bench.compiled.config.states?.["review_phase"]?.type).toBeUndefined();
  });

  test("a phase with branches gives each its mode and its focus", () => {
    const bench = new Bench(only(fixture("technology-decision.yaml")), { agents: { "*": "done" } }).run();
    expect(bench.phase).toBe("completed");
    expect(bench.calls.slice(0, 3)).toEqual(["mcp-researcher", "mcp-researcher", "critic"]);
    expect(bench.tasks[2]?.input).toEqual({
      task: "Risk Analysis",
      phase: "Multi-Perspective Research",
      focus: "risk_assessment",
      context: {},
    });
    expect(bench.calls).toHaveLength(15);
  });

  test("a configuration gives one definition for each template, and the settings beside them", () => {
    const value = fixture("orchestrator-config.yaml");
    const { definitions, settings, problems } = readDefinition(value);
    expect(settings).toEqual({ concurrency: 10, breakerFailures: 5 });
    expect(warnings(problems)).toHaveLength(3);
    expect(definitions.map(({ key }) => key)).toEqual(["code_development", "research_decision"]);
    const runs = definitions.map((definition) => new Bench(compile(definition), { agents: { "*": 1 } }).run());
    expect(runs.map(({ phase }) => phase)).toEqual(["completed", "completed"]);
    expect(runs[0]?.calls).toEqual(["research", "design", "implement", "test", "review", "optimize"]);
    expect(runs[0]?.compiled.config.states?.["implement_and_test"]?.type).toBe("parallel");
    expect(runs[0]?.tasks[0]).toMatchObject({ dueAt: 1_300_000, mode: "research" });
  });

  test("steps with service and tool ask that agent for that capability, one after the other", () => {
    const workflow = only(document002.codeDevelopment);
    expect(workflow.definition.key).toBe("code-development-seq");
    const bench = new Bench(workflow, { input: { idea: 1 }, agents: { "*": (task) => task.step } }).run();
    expect(bench.tasks.map(({ agent, capability }) => `${agent ?? ""}.${capability ?? ""}`)).toEqual([
      "mcp-researcher.technical_research",
      "architect.system_design",
      "code.implementation",
      "tdd.testing",
      "critic.code_review",
    ]);
    expect(bench.tasks[1]?.input).toEqual({
      input: { idea: 1 },
      context: { technical_research: "technical_research" },
    });
  });

  test("branches without steps are an error each, and with steps they run side by side", () => {
    expect(
      read(document002.multiPerspective).problems.map(({ path, message }) => [path.join("."), message.slice(0, 40)]),
    ).toEqual([
      ["branches.0", "the branch `technical` has no steps; giv"],
      ["branches.1", "the branch `market` has no steps; give i"],
      ["branches.2", "the branch `regulatory` has no steps; gi"],
    ]);
    const bench = new Bench(only(document002.multiPerspectiveFilled), { agents: { "*": (task) => task.step } }).run();
    expect(bench.output).toMatchObject({
      branches: { technical: "technical_research", market: "market_research", regulatory: "summary" },
    });
  });

  test("a definition of triggers runs the workflow that handles the event, and no other", () => {
    const workflow = only(document002.adaptiveOptimization);
    expect(workflow.definition.triggers).toEqual([
      { event: "performance_degradation" },
      { event: "error_threshold_exceeded" },
      { event: "new_data_available" },
    ]);
    const recovery = only({ name: "r", steps: [{ id: "mend", capability: "mend", input: { of: "$.input.payload" } }] });
    const input = { event: "error_threshold_exceeded", payload: 7 };
    const bench = new Bench(workflow, { input, workflows: { activate_recovery: recovery } }).run();
    expect(bench.phase).toBe("completed");
    expect([...bench.children.values()].map(({ effect }) => effect.workflow)).toEqual(["activate_recovery"]);
    expect([...bench.children.values()][0]?.bench?.taskOf("mend").input).toEqual({ of: 7 });
    expect(new Bench(workflow, { input: { event: "something_else" } }).run().failure?.code).toBe("workflow/no-branch");
  });
});

describe("documents 000 and 001", () => {
  test("steps with action call that capability with the parameters", () => {
    const bench = new Bench(only(document000.architecture), { agents: { "*": (task) => ({ of: task.step }) } }).run();
    expect(bench.calls).toEqual(["analyze_requirements", "design_system_architecture", "validate_architecture"]);
    expect(bench.tasks[2]?.input).toEqual({ standards: ["ISO-27001"], reviewers: ["architect-1", "architect-2"] });
    expect(bench.output).toMatchObject({ design_system_architecture: { of: "design_system_architecture" } });
  });

  test("a trigger that always starts has no condition; a strategy is explained", () => {
    expect(only(document000.breakingChange).definition.triggers).toEqual([{ event: "analysis_complete" }]);
    expect(new Bench(only(document000.breakingChange), { agents: { "*": 1 } }).run().phase).toBe("completed");
    expect(warnings(read(document000.patternMonitor).problems)).toEqual([
      expect.stringContaining("each start is one run"),
    ]);
  });

  test("phases with mcps ask each server, side by side where they are parallel", () => {
    const bench = new Bench(only(document001.multiServer), { agents: { "*": (task) => task.mode ?? "" } }).run();
    expect(bench.phase).toBe("completed");
    expect(bench.calls).toEqual([
      "sequential-thinking",
      "perplexity",
      "context7",
      "serena",
      "claude-flow",
      "claude-flow",
    ]);
    expect(bench.tasks[5]?.input).toMatchObject({
      task: "validation",
      phase: "validation",
      context: { research: { research_perplexity: "perplexity" } },
    });
  });
});

test("every definition is the same when its normal form is read again, also through JSON", () => {
  const all = [
    ...Object.values(document000),
    ...Object.values(document001),
    ...Object.values(document002),
    ...Object.values(document003),
  ];
  const files = ["full-stack-development.yaml", "technology-decision.yaml", "orchestrator-config.yaml"].map(fixture);
  let seen = 0;
  for (const value of [...all, ...files]) {
    for (const definition of readDefinition(value).definitions) {
      const again = readDefinition(JSON.parse(JSON.stringify(definition)));
      expect(JSON.stringify(again.definitions[0])).toBe(JSON.stringify(definition));
      seen += 1;
    }
  }
  expect(seen).toBe(15);
});
