export { FakeClock } from "./fake-clock.ts";
export { seededIds, seededRandom } from "./seeded.ts";
export { simulate, type Simulation, type SimulationOptions } from "./simulate.ts";
