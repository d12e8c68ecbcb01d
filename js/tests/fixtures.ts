/** The fixtures that the Python tests read, too. */

import { readdirSync, readFileSync } from "node:fs";
import type { CommandMessage, Op } from "../src/protocol";

const FOLDER = new URL("../../tests/fixtures/protocol/", `file://${__filename}`);

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));

const named = (prefix: string): [string, unknown][] =>
  readdirSync(FOLDER)
    .filter((name) => name.startsWith(prefix))
    .map((name) => [name.slice(0, -".json".length), read(name)]);

export const ops = new Map(named("op_").map(([name, op]) => [name.slice("op_".length), op as Op]));
export const commands = new Map(
  named("command_").map(([name, it]) => [name.slice("command_".length), it as CommandMessage]),
);
export const fixture = (name: string): unknown => read(`${name}.json`);
