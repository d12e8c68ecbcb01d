import { options, render } from "preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { approval } from "../../dev/fake";
import { Approvals } from "../../src/approvals/Approvals";
import { exact, warnings } from "../../src/approvals/exact";
import { highlight } from "../../src/libraries/markdown";
import type { ApprovalKind, ApprovalView } from "../../src/protocol";
import { loadUnsent } from "../../src/state/unsent";
import { keepFocus } from "../../src/ui/focus";
import { hasHidden } from "../../src/ui/hidden";
import { View } from "../../src/view";
import { HOSTILE } from "../hostile";
import { type Answers, HOLD, Kernel } from "../tab";

let kernel: Kernel;
let life: AbortController;
let place: HTMLElement;
let input: HTMLTextAreaElement;
let height = 100;
let complain: (text: string) => void;

beforeEach(() => {
  options.debounceRendering = (draw) => draw();
  height = 100;
  life = new AbortController();
  complain = vi.fn();
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(private readonly look: () => void) {}
      observe() {
        this.look();
      }
      disconnect() {}
    },
  );
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(100);
  vi.spyOn(HTMLElement.prototype, "scrollHeight", "get").mockImplementation(() => height);
});

afterEach(() => {
  life.abort();
  render(null, place);
  kernel.end();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function ask(items: ApprovalView[], answers: Answers = {}): void {
  kernel = new Kernel(answers);
  const root = document.createElement("div");
  root.className = "rb-panel-chat";
  root.innerHTML = '<div></div><div class="rb-composer"><textarea></textarea></div>';
  document.body.append(root);
  keepFocus(new View(document.body, "chat"), life.signal);
  place = root.firstElementChild as HTMLElement;
  input = root.querySelector("textarea") as HTMLTextAreaElement;
  kernel.model.emit({ op: "approvals", items });
  render(<All />, place);
}

const All = () => (
  <Approvals
    store={kernel.store}
    items={kernel.store.state.value.approvals}
    highlight={highlight}
    complain={complain}
  />
);

const say = (...items: ApprovalView[]) => kernel.model.emit({ op: "approvals", items });
const cards = () => [...place.querySelectorAll<HTMLElement>('[data-kind="approval"]')];
const card = (at = 0) => {
  const found = cards()[at];
  if (!found) throw new Error(`there is no card ${at}`);
  return found;
};
const button = (name: string, at = 0) =>
  [...card(at).querySelectorAll<HTMLButtonElement>("button")].find(
    (it) => it.ariaLabel === name || it.getAttribute("aria-label") === name,
  );
const armed = () => vi.waitFor(() => expect(button("Deny")?.disabled).toBe(false), 5000);
const press = (target: Element, key: string, more: KeyboardEventInit = {}) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));

const GIT = approval({ id: "a1", digest: "d1" });

describe("a card", () => {
  test("shows what, exactly, why, and from where the wish came", () => {
    ask([{ ...GIT, note: "Without a shell.", source: "after reading file notes.txt" }]);

    expect(card().querySelector(".rb-exact-command")?.textContent).toBe("git status --short");
    for (const part of [
      "Run a command",
      "run_shell",
      "Without a shell.",
      "Asked after reading file notes.txt",
      "18 characters",
    ])
      expect(card().textContent).toContain(part);
  });

  test("has a name for those who listen", () => {
    ask([GIT]);

    const label = document.getElementById(card().getAttribute("aria-labelledby") ?? "");
    expect(card().getAttribute("role")).toBe("alertdialog");
    expect(label?.textContent).toBe("Run a command");
  });

  test("has the answers that the kernel takes, and no others", () => {
    ask([GIT, approval({ scopes: ["once"] })]);

    const names = (at: number) =>
      [...card(at).querySelectorAll(".rb-answer-button")].map((it) => it.getAttribute("aria-label"));
    expect(names(0)).toEqual([
      "Allow once",
      "Allow for this conversation",
      "Always allow git status * here",
      "Deny",
      "Deny with a reason…",
    ]);
    expect(names(1)).toEqual(["Allow once", "Deny", "Deny with a reason…"]);
  });

  test("does not take the focus from who types", async () => {
    ask([]);
    input.focus();

    say(GIT);
    await armed();

    expect(document.activeElement).toBe(input);
  });
});

describe("an answer", () => {
  for (const [name, command] of [
    ["Allow once", { command: "approve", scope: "once" }],
    ["Allow for this conversation", { command: "approve", scope: "conversation" }],
    ["Always allow git status * here", { command: "approve", scope: "always" }],
    ["Deny", { command: "deny", reason: "" }],
  ] as const) {
    test(`${name} names what was shown`, async () => {
      ask([GIT]);
      await armed();

      button(name)?.click();

      expect(kernel.model.sent.at(-1)).toMatchObject({ ...command, approval_id: "a1", digest: "d1" });
    });
  }

  for (const [key, command] of [
    ["a", { command: "approve", scope: "once" }],
    ["C", { command: "approve", scope: "conversation" }],
    ["w", { command: "approve", scope: "always" }],
    ["d", { command: "deny", reason: "" }],
  ] as const) {
    test(`is given by the key ${key} in the card`, async () => {
      ask([GIT]);
      await armed();
      card().focus();

      press(card(), key);

      expect(kernel.model.sent.at(-1)).toMatchObject(command);
    });
  }

  for (const more of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }, { repeat: true }]) {
    test(`is not given by a key with ${Object.keys(more)}`, async () => {
      ask([GIT]);
      await armed();

      press(card(), "a", more);

      expect(kernel.model.sent).toEqual([]);
    });
  }

  test("is not given by a letter that is typed", async () => {
    ask([GIT]);
    await armed();
    press(card(), "r");
    const field = card().querySelector("input") as HTMLInputElement;

    press(field, "a");
    press(input, "a");

    expect(kernel.model.sent).toEqual([]);
  });

  test("with a reason is sent by Enter", async () => {
    ask([GIT]);
    await armed();
    button("Deny with a reason…")?.click();
    const field = card().querySelector("input") as HTMLInputElement;
    field.value = " use the copy ";
    field.dispatchEvent(new Event("input", { bubbles: true }));

    field.form?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));

    expect(kernel.model.sent.at(-1)).toMatchObject({ command: "deny", reason: "use the copy" });
    render(null, place);
    expect(loadUnsent("deny:a1")).toBeNull();
  });

  test("by R opens the field at once: what is typed then answers nothing", () => {
    ask([GIT]);

    press(card(), "r");

    const field = card().querySelector("input");
    expect(field).not.toBeNull();
    expect(document.activeElement).toBe(field);
    expect(kernel.model.sent).toEqual([]);
  });

  test("is sent once, however often it is clicked", async () => {
    ask([GIT], { approve: () => HOLD });
    await armed();
    const [allow, deny] = [button("Allow once"), button("Deny")];
    // As in a browser: nothing is drawn anew between two clicks.
    options.debounceRendering = (draw) => setTimeout(draw);

    for (const it of [allow, allow, deny, allow]) it?.click();
    press(card(), "a");

    expect(kernel.model.sent).toHaveLength(1);
    await vi.waitFor(() => expect(card().getAttribute("aria-busy")).toBe("true"));
  });

  test("that comes late is refused in the kernel's words, and can be given again", async () => {
    ask([GIT], { approve: () => "'run_shell' waits no longer: the turn was stopped." });
    await armed();

    button("Allow once")?.click();

    await vi.waitFor(() =>
      expect(card().textContent).toContain("'run_shell' waits no longer: the turn was stopped."),
    );
    expect(button("Allow once")?.disabled).toBe(false);
  });

  for (const [when, isGoneFirst] of [
    ["before", true],
    ["after", false],
  ] as const) {
    test(`that is refused is not lost when the card goes ${when} the refusal`, async () => {
      ask([GIT], { approve: () => "'run_shell' waits no longer." });
      await armed();

      button("Allow once")?.click();
      if (!isGoneFirst) await vi.waitFor(() => expect(card().textContent).toContain("waits no longer"));
      say();

      await vi.waitFor(() =>
        expect(complain).toHaveBeenCalledExactlyOnceWith("'run_shell' waits no longer."),
      );
    });
  }

  test("stays under way until the kernel takes the card away", async () => {
    ask([GIT]);
    await armed();

    button("Allow once")?.click();
    await vi.waitFor(() => expect(kernel.store.state.value.pending).toEqual([]));

    expect(button("Allow once")?.disabled).toBe(true);
    say();
    expect(cards()).toEqual([]);
  });
});

describe("a click that was meant for something else", () => {
  test("finds a new card deaf for a moment", async () => {
    ask([GIT]);

    button("Allow once")?.click();
    press(card(), "a");

    expect(kernel.model.sent).toEqual([]);
    await armed();
  });

  test("finds a card deaf that has just moved up", async () => {
    const next = approval({ id: "a2" });
    ask([GIT, next]);
    await armed();

    say(next);
    button("Allow once")?.click();

    expect(kernel.model.sent).toEqual([]);
  });

  test("finds another card when what is asked has changed", async () => {
    ask([GIT], { approve: () => HOLD });
    await armed();
    button("Allow once")?.click();

    say({ ...GIT, digest: "d2", text: "rm -rf ." });
    await armed();

    expect(card().textContent).toContain("rm -rf .");
    expect(card().getAttribute("aria-busy")).toBe("false");
  });
});

describe("a long text", () => {
  test("is allowed only after its end was seen", async () => {
    height = 1000;
    ask([{ ...GIT, text: `git status${"\n".repeat(500)}rm -rf ~` }]);
    await armed();
    const before = button("Allow once")?.disabled;
    press(card(), "a");
    const box = card().querySelector(".rb-exact-text") as HTMLElement;

    box.scrollTop = 900;
    box.dispatchEvent(new Event("scroll"));

    expect(before).toBe(true);
    expect(kernel.model.sent).toEqual([]);
    expect(button("Allow once")?.disabled).toBe(false);
  });

  test("that a closed tab hides is not read", async () => {
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(0);
    height = 0;
    ask([GIT]);
    await armed();

    expect(button("Allow once")?.disabled).toBe(true);
  });

  test("can be denied at once", async () => {
    height = 1000;
    ask([GIT]);
    await armed();

    button("Deny")?.click();

    expect(kernel.model.sent).toHaveLength(1);
  });

  test("is there to its last character, and says its length", () => {
    const text = `${"x".repeat(10_239)}!`;

    ask([{ ...GIT, text }]);

    expect(card().querySelector(".rb-exact-text")?.textContent).toBe(text);
    expect(card().textContent).toContain("10,240 characters");
  });
});

describe("the focus", () => {
  test("goes to the next card when one with it goes, and then to the input", async () => {
    const next = approval({ id: "a2" });
    ask([GIT, next]);
    await armed();
    card().focus();
    press(card(), "a");

    say(next);
    await Promise.resolve();
    const first = document.activeElement;
    say();
    await Promise.resolve();

    expect(first?.getAttribute("data-kind")).toBe("approval");
    expect(document.activeElement).toBe(input);
  });

  test("of who types elsewhere stays there", async () => {
    ask([GIT]);
    await armed();
    input.focus();

    say();

    expect(document.activeElement).toBe(input);
  });
});

const KINDS: ApprovalKind[] = ["arguments", "code", "command", "diff", "address", "question"];

describe("texts of others are nothing but text", () => {
  for (const text of HOSTILE) {
    test(JSON.stringify(text), () => {
      ask(
        KINDS.map((kind) =>
          approval({
            kind,
            tool: text,
            label: text,
            text,
            note: text,
            arguments: text,
            source: text,
            pattern: text,
          }),
        ),
      );
      for (const details of place.querySelectorAll("details")) details.open = true;

      expect(
        place.querySelectorAll("script, img, iframe, style, a, b, svg[onload], [data-commandlinker-command]"),
      ).toHaveLength(0);
      expect(place.querySelectorAll('[aria-label="Allow once"]')).toHaveLength(KINDS.length);
      expect(hasHidden(place.textContent)).toBe(false);
      expect(
        [...place.querySelectorAll("[aria-label]")].filter((it) =>
          hasHidden(it.getAttribute("aria-label") ?? ""),
        ),
      ).toEqual([]);
      expect((globalThis as { __xss?: unknown }).__xss).toBeUndefined();
    });

    for (const kind of KINDS) {
      test(`${JSON.stringify(text)} as ${kind} is whole`, () => {
        const root = document.createElement("pre");
        root.append(exact(text, kind, highlight));
        for (const it of root.querySelectorAll(".rb-hidden-char")) {
          const code = Number.parseInt(it.textContent.slice(2), 16);
          it.replaceWith(String.fromCodePoint(code));
        }

        expect(root.textContent).toBe(text);
      });
    }
  }
});

describe("colours", () => {
  const drawn = (text: string, kind: ApprovalKind) => {
    const root = document.createElement("pre");
    root.append(exact(text, kind, highlight));
    return root;
  };

  test("are those of the kind", () => {
    expect(drawn("import os", "code").querySelector(".hljs-keyword")?.textContent).toBe("import");
    expect(drawn('{"a": 1}', "arguments").querySelector(".hljs-number")?.textContent).toBe("1");
    expect(drawn("import os", "question").querySelector("span")).toBeNull();
  });

  test("of a difference are by line", () => {
    const root = drawn("--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same\n", "diff");

    const lines = (name: string) =>
      [...root.querySelectorAll(`.rb-diff-${name}`)].map((it) => it.textContent);
    expect(lines("head")).toEqual(["--- a\n", "+++ b\n", "@@ -1 +1 @@\n"]);
    expect([lines("removed"), lines("added")]).toEqual([["-old\n"], ["+new\n"]]);
  });

  test("never change the text: what HTML would drop stays", () => {
    expect(drawn('print("a\u0000b")\rx', "code").textContent).toBe('print("aU+0000b")U+000Dx');
  });
});

describe("a warning", () => {
  for (const [text, words] of [
    ["git status", []],
    ["привет мир # όνομα, Δx, σ2, ünïcödé, 漢字, שלום", []],
    ["👩‍💻 ⚠️ 1️⃣", []],
    ["a\u200bb", ["hidden characters"]],
    ["a\u202eb\u2066c", ["hidden characters"]],
    ["сurl", ["“с” is U+0441, not “c”"]],
    ["аррӏе", ["“а” is U+0430, not “a”"]],
    ["gоogle.com", ["“о” is U+043E, not “o”"]],
    ["rm\u00a0-rf", ["U+00A0, not “ ”"]],
    ["ｒｍ", ["“ｒ” is U+FF52, not “r”"]],
    ["𝗿𝗺", ["“𝗿” is U+1D5FF, not “r”"]],
    ["rm ‐rf ⁄", ["U+2010, not “-”", "U+2044, not “/”"]],
    ["paypжl", ["“ж” is U+0436, of another alphabet"]],
  ] as [string, string[]][]) {
    test(`for ${JSON.stringify(text)}: ${words.join(", ") || "none"}`, () => {
      const said = warnings(text).join(" ");

      if (words.length === 0) expect(said).toBe("");
      for (const word of words) expect(said).toContain(word);
    });
  }

  test("is given for the tool, the pattern and the folded arguments, too", () => {
    ask([{ ...GIT, tool: "run_sһell" }, approval({ pattern: "gіt *" }), approval({ arguments: '"\u202e"' })]);

    const said = cards().map((it) => it.querySelectorAll(".rb-approval-warning").length);
    expect(said).toEqual([1, 1, 1]);
  });

  test("marks each place and leaves the text as it is", () => {
    const root = document.createElement("pre");
    root.append(exact("сurl gоogle.com | sh", "command", highlight));

    expect([...root.querySelectorAll(".rb-lookalike")].map((it) => it.textContent)).toEqual(["с", "о"]);
    expect(root.textContent).toBe("сurl gоogle.com | sh");
  });
});
