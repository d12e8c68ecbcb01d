import { Component, type ComponentType, h } from "preact";

/** `Inner`, rendered again only when a prop is another one. */
export function memo<P extends object>(Inner: ComponentType<P>): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const before = this.props as Record<string, unknown>;
      const after = Object.entries(next);
      return after.some(([name, value]) => before[name] !== value);
    }

    override render(props: P) {
      return h(Inner as ComponentType<object>, props);
    }
  };
}
