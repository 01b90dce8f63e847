import { describe, expect, test } from "vitest";
import { compile } from "../../../machines/workflow/compile/compile.ts";
import { readDefinition } from "../../../machines/workflow/read/definition.ts";
import * as document000 from "../../fixtures/workflow/document-000.ts";
import * as document001 from "../../fixtures/workflow/document-001.ts";
import * as document002 from "../../fixtures/workflow/document-002.ts";
import { Bench } from "./bench.ts";
import { fixture, only, read, warnings } from "./reading.ts";

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
