/** One tab over a kernel that answers as the test says. */

import { type ComponentType, render } from "preact";
import { vi } from "vitest";
import { FakeModel } from "../dev/fake";
import type { CommandMessage, CommandName, FieldView, SettingsView } from "../src/protocol";
import { Store } from "../src/state/store";
import type { TabProps } from "../src/tabs";
import { AnyModelTransport } from "../src/transport";
import { View } from "../src/view";

type Sent<N extends CommandName> = CommandMessage<N>;
/** A text refuses the command; nothing leaves it without an answer when `HOLD` is given. */
type Answer = Record<string, unknown> | string | undefined | typeof HOLD;
export type Answers = { [N in CommandName]?: (command: Sent<N>) => Answer };

export const HOLD = Symbol("hold");

export class Kernel {
  readonly model = new FakeModel();
  readonly store: Store;
  private readonly life = new AbortController();

  constructor(answers: Answers = {}) {
    this.model.answer = (command) => queueMicrotask(() => this.answer(command, answers));
    this.store = new Store(new AnyModelTransport(this.model as never), this.life.signal);
  }

  private answer(command: CommandMessage, answers: Answers): void {
    const give = answers[command.command] as ((command: CommandMessage) => Answer) | undefined;
    const answer = give?.(command);
    if (answer === HOLD) return;
    if (typeof answer !== "string") return this.model.ack(command, answer);
    this.model.emit({ op: "ack", view: command.view, id: command.id, ok: false, error: answer });
  }

  sent<N extends CommandName>(name: N): Sent<N>[] {
    return this.model.sent.filter((command) => command.command === name) as Sent<N>[];
  }

  end(): void {
    this.life.abort();
  }
}

export class Tab {
  readonly element = document.createElement("div");
  readonly view: View;

  constructor(
    readonly component: ComponentType<TabProps>,
    readonly kernel: Kernel,
  ) {
    document.body.append(this.element);
    this.view = new View(this.element, "settings");
    this.show();
  }

  show(): void {
    const Component = this.component;
    render(<Component store={this.kernel.store} view={this.view} />, this.element);
  }

  hide(): void {
    render(null, this.element);
  }

  find<E extends HTMLElement = HTMLElement>(selector: string): E {
    const found = this.element.querySelector<E>(selector);
    if (!found) throw new Error(`nothing is ${selector}`);
    return found;
  }

  all(selector: string): HTMLElement[] {
    return [...this.element.querySelectorAll<HTMLElement>(selector)];
  }

  button(name: string): HTMLButtonElement {
    return this.find<HTMLButtonElement>(`button[aria-label="${name}"]`);
  }

  click(name: string): void {
    const button = this.button(name);
    if (button.disabled) throw new Error(`${name} is disabled`);
    button.click();
  }

  type(selector: string, text: string): void {
    const input = this.find<HTMLInputElement>(selector);
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  press(selector: string, key: string): void {
    this.find(selector).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  }

  get text(): string {
    return this.element.textContent ?? "";
  }
}

/** Waits until `check` stops throwing. */
export const until = <T,>(check: () => T): Promise<T> => vi.waitFor(check, { interval: 5 });

export const field = (name: string, more: Partial<FieldView> = {}): FieldView => ({
  name,
  label: name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " "),
  group: "Model",
  type: "string",
  unit: "",
  minimum: null,
  maximum: null,
  choices: [],
  help: "",
  value: null,
  default: null,
  layer: "default",
  where: "",
  ...more,
});

export const settings = (fields: FieldView[], more: Partial<SettingsView> = {}): SettingsView => ({
  profile: "",
  profiles: [],
  fields,
  key: { present: false, source: "", host: "openrouter.ai", can_use_keyring: false },
  problems: [],
  path: "~/settings.toml",
  ...more,
});
