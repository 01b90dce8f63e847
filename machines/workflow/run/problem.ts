import { failure as newFailure, type Failure } from "../../failure.ts";
import { ExpressionProblem } from "../expression/functions.ts";

/** A reason to fail a step, thrown from deep inside the computing of its values. */
export class StepProblem extends Error {
  override readonly name = "StepProblem";
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The failure that a thrown problem is; anything else is a fault of ours and goes on being thrown. */
export function failureOf(error: unknown, path: string): Failure {
  if (error instanceof StepProblem) return error.failure;
  if (error instanceof ExpressionProblem)
    return newFailure("workflow/expression", `${path}: ${error.message}`, { path });
  throw error;
}
