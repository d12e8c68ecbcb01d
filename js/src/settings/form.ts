/** One view's unsaved settings: they survive a change of tab, a view made anew, and whatever the kernel says meanwhile. */

import { effect, signal } from "@preact/signals";
import type { FieldView, SettingsView } from "../protocol";
import type { Store } from "../state/store";
import { loadUnsent, saveUnsent } from "../state/unsent";
import type { View } from "../view";
import { type Edit, isChange, readEdit, toEdit } from "./fields";

export interface Outcome {
  isOk: boolean;
  text: string;
}

type Values = Record<string, unknown>;

const forms = new WeakMap<View, SettingsForm>();

/** The form of this view, the same one each time the tab is opened. */
export function formOf(view: View, store: Store): SettingsForm {
  const form = forms.get(view) ?? new SettingsForm(store, view.place && `settings:${view.place}`);
  forms.set(view, form);
  return form;
}

export class SettingsForm {
  /** Fields the user touched; all others show what the kernel says. */
  readonly edits = signal<ReadonlyMap<string, Edit>>(new Map());
  /** What the kernel did not like, by field. */
  readonly refusals = signal<ReadonlyMap<string, string>>(new Map());
  readonly isBusy = signal(false);
  readonly outcome = signal<Outcome | null>(null);
  /** The key that is being typed; it is kept here and nowhere else. */
  readonly typedKey = signal("");

  constructor(
    private readonly store: Store,
    /** Edits are kept under it, over a reload of the page, too; "" keeps them as long as the view lives. */
    private readonly keptAs: string,
  ) {
    this.edits.value = readKept(keptAs);
    effect(() => this.keep(this.edits.value));
  }

  private keep(edits: ReadonlyMap<string, Edit>): void {
    // Tables hold headers, and those may hold keys.
    const plain = [...edits].filter(([name]) => this.field(name)?.type !== "table");
    // Settings that are not known yet are no reason to forget what was kept.
    if (this.keptAs === "" || (edits.size > 0 && !this.settings)) return;
    saveUnsent(this.keptAs, plain.length > 0 ? JSON.stringify(plain) : null);
  }

  /** Peeked at: who shows the form renders for new settings, not for every word that streams. */
  private get settings(): SettingsView | null {
    return this.store.state.peek().settings;
  }

  private field(name: string): FieldView | undefined {
    return this.settings?.fields.find((field) => field.name === name);
  }

  edit(name: string, edit: Edit): void {
    this.edits.value = new Map(this.edits.value).set(name, edit);
    this.refusals.value = without(this.refusals.value, [name]);
    this.outcome.value = null;
  }

  shown(field: FieldView): Edit {
    const edit = this.edits.value.get(field.name);
    return edit === undefined ? toEdit(field) : edit;
  }

  reset(field: FieldView): void {
    this.edit(field.name, toEdit(field, field.default));
  }

  revert(name: string): void {
    this.edits.value = without(this.edits.value, [name]);
    this.refusals.value = without(this.refusals.value, [name]);
  }

  /** The fields whose edits would change something, in their order. */
  changed(): FieldView[] {
    return (this.settings?.fields ?? []).filter((field) => {
      const edit = this.edits.value.get(field.name);
      return edit !== undefined && isChange(field, edit);
    });
  }

  error(field: FieldView): string | undefined {
    const edit = this.edits.value.get(field.name);
    if (edit === undefined) return undefined;
    const reading = readEdit(field, edit);
    return "error" in reading ? reading.error : this.refusals.value.get(field.name);
  }

  /** The kernel has new settings: an edit that says the same as they do is no edit any more. */
  adopt(): void {
    const done = [...this.edits.value].filter(([name, edit]) => {
      const field = this.field(name);
      return !field || !isChange(field, edit);
    });
    if (done.length > 0)
      this.edits.value = without(
        this.edits.value,
        done.map(([name]) => name),
      );
  }

  discard(): void {
    this.edits.value = new Map();
    this.refusals.value = new Map();
    this.outcome.value = null;
  }

  /** Uses the edits from now on, and with `persist` writes them, and what holds for this session only, to the file. */
  async save(persist: boolean): Promise<void> {
    const sent = new Map<string, Edit>();
    const values: Values = persist ? this.sessionValues() : {};
    for (const field of this.changed()) {
      const edit = this.shown(field);
      const reading = readEdit(field, edit);
      if ("error" in reading) return;
      values[field.name] = reading.value;
      sent.set(field.name, edit);
    }
    await this.send(values, persist, sent);
  }

  /** Uses these values in this session, whatever else is being edited. */
  async use(values: Values): Promise<void> {
    const names = Object.keys(values);
    await this.send(values, false, new Map([...this.edits.value].filter(([name]) => names.includes(name))));
  }

  private sessionValues(): Values {
    const own = (this.settings?.fields ?? []).filter((field) => field.layer === "session");
    return Object.fromEntries(own.map((field) => [field.name, field.value]));
  }

  private async send(values: Values, persist: boolean, sent: ReadonlyMap<string, Edit>): Promise<void> {
    if (this.isBusy.value) return;
    const before = this.settings;
    this.isBusy.value = true;
    this.outcome.value = null;
    try {
      await this.store.command("save_settings", { values, persist });
      // Without the new values the fields would show the old ones for a moment.
      if (this.settings === before) await this.store.command("settings", {});
      this.drop(sent);
      const text = persist
        ? `Saved in ${before?.path || "the settings file"}.`
        : "In use until the kernel ends.";
      this.outcome.value = { isOk: true, text };
    } catch (error) {
      this.refuse(Object.keys(values), error instanceof Error ? error.message : String(error));
    } finally {
      this.isBusy.value = false;
    }
  }

  /** What was typed while the kernel worked stays. */
  private drop(sent: ReadonlyMap<string, Edit>): void {
    const settled = [...sent].filter(([name, edit]) => this.edits.value.get(name) === edit);
    this.edits.value = without(
      this.edits.value,
      settled.map(([name]) => name),
    );
  }

  private refuse(names: readonly string[], text: string): void {
    const name = names.find((each) => this.edits.value.has(each) && text.includes(`'${each}'`));
    if (name !== undefined) this.refusals.value = new Map(this.refusals.value).set(name, text);
    const label = name !== undefined && this.field(name)?.label;
    this.outcome.value = { isOk: false, text: label ? `Not saved: see “${label}”.` : text };
  }
}

function readKept(key: string): ReadonlyMap<string, Edit> {
  try {
    return new Map(JSON.parse((key && loadUnsent(key)) || "[]"));
  } catch {
    return new Map();
  }
}

function without<V>(map: ReadonlyMap<string, V>, names: readonly string[]): ReadonlyMap<string, V> {
  return new Map([...map].filter(([name]) => !names.includes(name)));
}
