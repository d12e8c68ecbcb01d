import { describe, expect, test } from "vitest";
import { isChange, isDefault, readEdit, toEdit } from "../../src/settings/fields";
import { field } from "../tab";

const temperature = field("temperature", { type: "number", minimum: 0, maximum: 2 });
const retries = field("retries", {
  type: "integer",
  unit: "times",
  minimum: 0,
  maximum: 10,
  value: 2,
  default: 2,
});

describe("numbers", () => {
  test.each(["0", "2", " 0.7 ", ".5", "1e-3", "+1"])("%j is taken", (text) => {
    expect(readEdit(temperature, text)).toEqual({ value: Number(text) });
  });

  test.each(["3", "-0.1", "x", "0,7", "1 2", "NaN", "Infinity", "0x1", "1e999"])("%j is refused", (text) => {
    expect(readEdit(temperature, text)).toEqual({ error: "Enter a number from 0 to 2." });
  });

  test("an empty optional number is not set", () => {
    expect(readEdit(temperature, "")).toEqual({ value: null });
  });

  test("an empty number that is needed says what to enter", () => {
    expect(readEdit(retries, "")).toEqual({ error: "Enter a whole number from 0 to 10." });
  });

  test("a fraction is no whole number", () => {
    expect(readEdit(retries, "1.5")).toEqual({ error: "Enter a whole number from 0 to 10." });
  });

  test("the sentence names unit and limits as people write them", () => {
    const cap = field("max_tokens", { type: "integer", unit: "tokens", minimum: 1, maximum: 10_000_000 });

    expect(readEdit(cap, "0")).toEqual({ error: "Enter a whole number of tokens from 1 to 10,000,000." });
  });

  test("the same number written otherwise is no change", () => {
    const set = { ...temperature, value: 0.7 };

    expect(isChange(set, "0.70")).toBe(false);
    expect(isChange(set, "0.8")).toBe(true);
    expect(isChange(set, "")).toBe(true);
  });
});

describe("texts", () => {
  test("an empty optional text is not set", () => {
    expect(readEdit(field("model"), "  ")).toEqual({ value: null });
  });

  test("an address cannot be empty", () => {
    const url = field("base_url", { label: "Server", value: "https://a", default: "https://a" });

    expect(readEdit(url, "")).toEqual({ error: "Server cannot be empty." });
  });

  test("long texts keep their spaces, and may be empty", () => {
    const prompt = field("instructions", { type: "text", value: "a", default: "a" });

    expect(readEdit(prompt, " b \n")).toEqual({ value: " b \n" });
    expect(readEdit(prompt, "")).toEqual({ value: "" });
  });

  test("a limit counts characters as the kernel does", () => {
    const prompt = field("instructions", { type: "text", default: "", maximum: 2 });

    expect(readEdit(prompt, "🦀🦀")).toEqual({ value: "🦀🦀" });
    expect(readEdit(prompt, "🦀🦀🦀")).toEqual({ error: "Keep it to 2 characters; it has 3." });
  });
});

test("lists lose empty items and mind their limit", () => {
  const list = field("stop", { type: "list", value: [], default: [], maximum: 1 });

  expect(readEdit(list, ["a", " "])).toEqual({ value: ["a"] });
  expect(readEdit(list, ["a", "b"])).toEqual({ error: "Keep at most 1." });
});

test("tables are JSON objects, and the order of keys means nothing", () => {
  const table = field("provider", { type: "table", value: { a: 1, b: 2 }, default: {} });

  expect(isChange(table, '{"b": 2, "a": 1}')).toBe(false);
  expect(readEdit(table, "")).toEqual({ value: {} });
  expect(readEdit(table, "[1]")).toHaveProperty("error");
  expect(readEdit(table, "{")).toHaveProperty("error");
});

test.each([
  field("model", { value: "openai/gpt-5" }),
  field("stop", { type: "list", value: ["a"], default: [] }),
  field("send_values", { type: "boolean", value: true, default: true }),
  field("provider", { type: "table", value: { only: ["x"] }, default: {} }),
  temperature,
])("what is shown of $name is no change", (each) => {
  expect(isChange(each, toEdit(each))).toBe(false);
  expect(isDefault(each, toEdit(each, each.default))).toBe(true);
});
