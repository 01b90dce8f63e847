import { describe, expect, test } from "vitest";
import { compile } from "../../../machines/workflow/compile/compile.ts";
import type { Json } from "../../../machines/failure.ts";
import { readDefinition } from "../../../machines/workflow/read/definition.ts";
import * as document000 from "../../fixtures/workflow/document-000.ts";
import * as document001 from "../../fixtures/workflow/document-001.ts";
import * as document002 from "../../fixtures/workflow/document-002.ts";
import * as document003 from "../../fixtures/workflow/document-003.ts";
import { Bench, type BenchOptions } from "./bench.ts";
import { fixture, only, read, warnings } from "./reading.ts";

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
