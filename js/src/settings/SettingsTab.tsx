/** The Settings tab: every setting with its origin, the key, and what is not saved yet. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { FieldView, SettingsView } from "../protocol";
import type { Store } from "../state/store";
import type { TabProps } from "../tabs";
import { Select } from "../ui/fields";
import { useSelect } from "../ui/hooks";
import { FieldRow } from "./FieldRow";
import { formOf, type SettingsForm } from "./form";
import { KeySection } from "./KeySection";
import { type ModelSearch, modelSearch } from "./models";
import { Problems } from "./Problems";
import { SaveBar } from "./SaveBar";
import { Section } from "./Section";
import { ServerTools } from "./Server";
import { ToolSections } from "./tools/ToolSections";
import "./settings.css";

export function SettingsTab({ store, view }: TabProps) {
  const settings = useSelect(store, (state) => state.settings);
  const isGone = useSelect(store, (state) => state.connection === "gone");
  const form = formOf(view, store);
  useEffect(() => {
    store.command("settings", {}).catch(() => {});
  }, [store]);
  useEffect(() => form.adopt(), [form, settings]);
  if (settings) return <SettingsForms store={store} view={view} settings={settings} form={form} />;
  return (
    <p class="rb-hint" role="status">
      {isGone
        ? "The kernel was restarted: run the cell again to see the settings."
        : "Asking for the settings…"}
    </p>
  );
}

interface SettingsFormsProps extends TabProps {
  settings: SettingsView;
  form: SettingsForm;
}

function SettingsForms({ store, view, settings, form }: SettingsFormsProps) {
  const root = useRef<HTMLDivElement>(null);
  const search = useMemo(() => modelSearch(store), [store]);
  const groups = groupsOf(settings.fields);
  const keySection = (
    <Section key="key" id={`${view.id}-group-key`} title="Key">
      <KeySection keyView={settings.key} store={store} view={view} form={form} />
    </Section>
  );
  return (
    <div class="rb-settings" ref={root}>
      <div class="rb-settings-body">
        {settings.problems.length > 0 && <Problems problems={settings.problems} />}
        <ProfileSwitch store={store} view={view} settings={settings} form={form} />
        {groups.map(([title, fields]) => {
          const hasServer = fields.some((field) => field.name === "base_url");
          return [
            <Section key={title} id={`${view.id}-group-${title}`} title={title}>
              <FieldRows id={view.id} fields={fields} form={form} models={search} store={store} />
            </Section>,
            hasServer && keySection,
          ];
        })}
        {!settings.fields.some((field) => field.name === "base_url") && keySection}
        <ToolSections store={store} view={view} />
      </div>
      <SaveBar
        settings={settings}
        form={form}
        onShowError={() => root.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()}
      />
    </div>
  );
}

/** The groups in the order in which their first fields come. */
function groupsOf(fields: readonly FieldView[]): [string, FieldView[]][] {
  const groups = new Map<string, FieldView[]>();
  for (const field of fields) groups.set(field.group, [...(groups.get(field.group) ?? []), field]);
  return [...groups];
}

interface FieldRowsProps {
  id: string;
  fields: readonly FieldView[];
  form: SettingsForm;
  models: ModelSearch;
  store: Store;
}

function FieldRows({ id, fields, form, models, store }: FieldRowsProps) {
  return (
    <>
      {fields.map((field) => [
        <FieldRow
          key={field.name}
          id={`${id}-field-${field.name}`}
          field={field}
          form={form}
          models={models}
        />,
        field.name === "base_url" && (
          <ServerTools key="server" id={`${id}-server`} store={store} form={form} />
        ),
      ])}
    </>
  );
}

function ProfileSwitch({ store, view, settings, form }: SettingsFormsProps) {
  const id = `${view.id}-profile`;
  const [refusals, setRefusals] = useState(0);
  const switchTo = (profile: string) => {
    store.command("use_profile", { profile }).catch((error: Error) => {
      form.outcome.value = { isOk: false, text: error.message };
      setRefusals((count) => count + 1);
    });
  };
  if (settings.profiles.length === 0) return null;
  const names = settings.profiles.includes(settings.profile)
    ? settings.profiles
    : [settings.profile, ...settings.profiles];
  return (
    <div class="rb-setting">
      <div class="rb-setting-head">
        <label class="rb-field-label" for={id}>
          Profile
        </label>
      </div>
      <div class="rb-setting-body">
        <Select
          // Made anew after a refusal: the browser would go on showing the refused one.
          key={refusals}
          id={id}
          value={settings.profile}
          options={names.map((name) => ({ value: name, label: name || "No profile" }))}
          onChange={switchTo}
        />
      </div>
    </div>
  );
}
