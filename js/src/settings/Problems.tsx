import { Banner } from "../ui/Banner";
import { Inert } from "../ui/Inert";

export function Problems({ problems }: { problems: readonly string[] }) {
  return (
    <Banner level="warning">
      {problems.length === 1 ? (
        <Inert text={problems[0] ?? ""} />
      ) : (
        <ul class="rb-problems">
          {problems.map((problem) => (
            <li key={problem}>
              <Inert text={problem} />
            </li>
          ))}
        </ul>
      )}
    </Banner>
  );
}
