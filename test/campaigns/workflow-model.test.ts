import { testModel } from "../machines/workflow/model.ts";

/** Faults that show once in some ten thousand courses were found at this length, and not by `npm test`. */
const factor = 40;

testModel(factor);
