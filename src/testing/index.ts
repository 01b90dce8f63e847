export { FakeClock } from "./fake-clock.ts";
export { seededIds, seededRandom } from "./seeded.ts";
